"""Secrets stay out of sight: passwords in URLs and values whose key looks like a secret's."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

import msgspec

from worker.settings.model import Settings

MASK = "***"

_SECRET = re.compile(
    r"passw|passphrase|secret|token|credential|api_?key|access_?key|private_?key|account_?key|sas_?key|ssl_?key$"
    r"|signature|^(pass|pwd|sig|jwt|bearer)$",
    re.IGNORECASE,
)
_TOKENS = frozenset({"root", "read_only", "ping"})
"""Keys of the table of tokens whose values are secrets, whatever they are called."""
_URL = re.compile(r"^([A-Za-z][A-Za-z0-9+.\-]*://)([^/?#]*)(.*)$", re.DOTALL)
_URL_INSIDE = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*://[^\s'\"<>]+")
_PLACES = re.compile(r"(\[[^\]]*\]|[^:,\[\]]*)(:\d*)?(,(\[[^\]]*\]|[^:,\[\]]*)(:\d*)?)*")
"""Hosts and their ports."""
_BEHIND_PASSWORD = re.compile(r"[^?#]*@|[^#]*[?&;][^=&;#]*@|[^#]*#.*@", re.DOTALL)
"""What follows hosts, with an "@" that stands in no parameter: the "port" may be the beginning of a password."""
_BRACKETS = re.compile(r"\[[^\]]*\]")
_PARAMETER = re.compile(r"([?&;#])([^=&;#]+)=([^&;#]*)")


def is_secret(key: str) -> bool:
    """Tell whether a key's name looks like that of a secret."""
    return _SECRET.search(key) is not None


def mask_url(url: str) -> str:
    """Mask the password and secret-looking parameters of a URL; other text comes back as it was."""
    match = _URL.match(url)
    if match is None:
        return url
    scheme, authority, rest = match.groups()
    first = authority.partition("@")[0]
    placed = "@" not in authority and _PLACES.fullmatch(authority)
    if ":" in _BRACKETS.sub("", first) and not (placed and not may_end_a_password(rest)):
        # an unescaped "@", "/", "?" or "#" in the password: the authority seems to end too early
        whole = authority + rest
        end = whole.rfind("@")
        if end >= len(authority):
            authority, rest = whole[: end + 1], whole[end + 1 :]
    user, at, host = authority.rpartition("@")
    name, colon, _ = user.partition(":")
    shown = f"{name}:{MASK}{at}{host}" if colon else authority
    return scheme + shown + _PARAMETER.sub(_parameter, rest)


def may_end_a_password(rest: str) -> bool:
    """Whether what follows host and port in a URL has an "@" outside its parameters: a password may end there."""
    return _BEHIND_PASSWORD.match(rest) is not None


def mask_text(text: str) -> str:
    """Mask every URL that stands in a text."""
    return _URL_INSIDE.sub(lambda match: mask_url(match[0]), text) if "://" in text else text


def mask(path: tuple[str, ...], value: Any) -> Any:
    """Mask a value that stands under a path of keys: whole when it is a secret's, else what is secret in it."""
    if isinstance(value, dict):
        return {name: mask((*path, str(name)), inner) for name, inner in value.items()}
    key = path[-1] if path else ""
    secret = is_secret(key) or (path[:1] == ("tokens",) and key in _TOKENS)
    if value is not None and not isinstance(value, bool) and secret:
        return MASK
    if isinstance(value, list | tuple):
        return [mask(path, inner) for inner in value]
    return mask_url(value) if isinstance(value, str) else value


def masked(settings: Settings) -> dict[str, Any]:
    """Return the settings as a JSON object to print, without secrets."""
    document: dict[str, Any] = mask((), msgspec.to_builtins(settings, enc_hook=str))
    for transport in document["transports"].values():
        transport.update(transport.pop("options"))  # as they stand in the file
    return document


def _parameter(match: re.Match[str]) -> str:
    before, key, value = match.groups()
    return f"{before}{key}={MASK if is_secret(unquote(key)) or _holds_secret(unquote(value)) else value}"


def _holds_secret(value: str) -> bool:
    """Whether a parameter is a list of ``NAME:value``, as MongoDB's ``authMechanismProperties``, with a secret in it."""
    return any(
        colon and is_secret(name) for name, colon, _ in (one.partition(":") for one in value.split(","))
    )
