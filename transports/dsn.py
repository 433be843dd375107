"""Addresses of brokers: taken apart, and printed without their secrets."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from urllib.parse import parse_qsl, unquote, unquote_to_bytes, urlsplit

import msgspec

MASK = "***"
_SECRET = re.compile(
    r"pass|pwd|secret|token|credential|signature|(api|access|account|sas|ssl)_?key|private|sas\b|^(sig|jwt|bearer)$",
    re.IGNORECASE,
)
_PAIR = re.compile(r"(?P<before>[?&;#])(?P<name>[^=&;#?]+)=(?P<value>[^&;#]*)")
_HOSTS = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^:@,]*)(:\d*)?(,(\[[0-9A-Fa-f:.]+\]|[^:@,]*)(:\d*)?)*")
"""Hosts, with or without their ports."""
_BEHIND_PASSWORD = re.compile(r"[^?#]*@|[^#]*[?&;][^=&;#]*@|[^#]*#.*@", re.DOTALL)
"""What follows hosts, with an "@" that stands in no parameter: the "port" may be the beginning of a password."""
_BRACKETS = re.compile(r"\[[^\]]*\]")


class Dsn(msgspec.Struct, frozen=True, kw_only=True):
    """The parts of an address, percent-decoded.

    Attributes:
        text: as it was written; print ``masked`` instead.
        scheme: in lower case.
        hosts: ``host:port`` texts; several where they are separated by commas, none for a local broker.
        path: with its leading slash, empty where there is none; without hosts as the system names its files.
        query: parameters by name, the last of each.
    """

    text: str
    scheme: str
    username: str | None = None
    password: str | None = None
    hosts: tuple[str, ...] = ()
    path: str = ""
    query: Mapping[str, str] = {}

    @property
    def masked(self) -> str:
        """The address without its secrets."""
        return mask(self.text)

    def __repr__(self) -> str:
        return f"Dsn({self.masked!r})"


def parse(url: str) -> Dsn:
    """Take an address apart.

    Raises:
        ValueError: it is not of the form ``scheme://…``; the message holds no part of the address.
    """
    if "://" not in url:
        raise ValueError("expected scheme://…")
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ValueError("the host is malformed") from None
    userinfo, at, hosts = parts.netloc.rpartition("@")
    if parts.netloc and _is_ambiguous(parts.netloc, url.partition("://")[2][len(parts.netloc) :]):
        # else a part of the password would be taken for a host or a port, looked up and shown
        raise ValueError(
            "the password, or what follows the host, holds a character that must be written as "
            "%40 (@), %2F (/), %3F (?) or %23 (#)"
        )
    username, colon, password = userinfo.partition(":")
    path = unquote(parts.path)
    if not parts.netloc:
        # a file's: its name may hold anything, only "?" must be written %3F there
        named = url.partition("://")[2].partition("?")[0]
        path = os.fsdecode(unquote_to_bytes(os.fsencode(named)))
    return Dsn(
        text=url,
        scheme=url.partition("://")[0].lower(),
        username=unquote(username) if at else None,
        password=unquote(password) if colon else None,
        hosts=tuple(host for host in hosts.split(",") if host),
        path=path,
        query=dict(parse_qsl(parts.query, keep_blank_values=True)),
    )


def mask(url: str) -> str:
    """Replace the password, and every parameter whose name looks secret, by ``***``.

    Takes any text, also what is no proper address: a password with unescaped ``/``, ``?`` or ``@`` is hidden too.
    """
    scheme, separator, rest = url.partition("://")
    if not separator:
        scheme, rest = "", url
    head = re.split(r"[?#]", rest, maxsplit=1)[0]
    end = head.rfind("@")
    told = end >= 0 and ":" in head.partition("@")[0]
    place = head.partition("/")[0]
    if told or (end < 0 and (not _HOSTS.fullmatch(place) or _is_ambiguous(place, rest[len(place) :]))):
        end = rest.rfind("@")  # the password itself may hold a "?" or "#", and an "@" before that
    if end >= 0:
        username, colon, _ = rest[:end].partition(":")
        rest = f"{username}{colon}{MASK if colon else ''}{rest[end:]}"
    return scheme + separator + _PAIR.sub(_mask_pair, rest)


def _is_ambiguous(place: str, rest: str) -> bool:
    """Whether an "@" in ``rest`` may be the end of a password that seems to have ended before."""
    if _BEHIND_PASSWORD.match(rest):
        return ":" in _BRACKETS.sub("", place) or not _HOSTS.fullmatch(place)
    return "@" in rest and "@" not in place and not _HOSTS.fullmatch(place)


def _mask_pair(pair: re.Match[str]) -> str:
    if not _SECRET.search(unquote(pair["name"])):
        return pair[0]
    return f"{pair['before']}{pair['name']}={MASK}"
