"""Addresses of brokers: taken apart, and printed without their secrets."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from urllib.parse import parse_qsl, unquote, unquote_to_bytes, urlsplit

import msgspec

MASK = "***"
_SECRET = re.compile(
    r"pass|pwd|secret|token|credential|signature|api_?key|access_?key|private|sas\b", re.IGNORECASE
)
_PAIR = re.compile(r"(?P<before>[?&;#])(?P<name>[^=&;#?]+)=(?P<value>[^&;#]*)")
_PORT = re.compile(r"\[[^\]]*\](:\d*)?|[^:]*(:\d*)?")


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


_HOSTS = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^:@,]*)(:\d*)?(,(\[[0-9A-Fa-f:.]+\]|[^:@,]*)(:\d*)?)*")
"""Hosts, with or without their ports."""


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
    if "@" in parts.path and parts.netloc and (":" in userinfo or not _HOSTS.fullmatch(parts.netloc)):
        # else the end of the password would be taken for a host, looked up and shown
        raise ValueError(
            "the password holds a sign that must be written as %40 (@), %2F (/), %3F (?) or %23 (#)"
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
    if told or (end < 0 and not _PORT.fullmatch(head.partition("/")[0])):
        end = rest.rfind("@")  # the password itself may hold a "?" or "#", and an "@" before that
    if end >= 0:
        username, colon, _ = rest[:end].partition(":")
        rest = f"{username}{colon}{MASK if colon else ''}{rest[end:]}"
    return scheme + separator + _PAIR.sub(_mask_pair, rest)


def _mask_pair(pair: re.Match[str]) -> str:
    if not _SECRET.search(pair["name"]):
        return pair[0]
    return f"{pair['before']}{pair['name']}={MASK}"
