"""The token's document: what it may do, as it is written and shown; never its secret."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from worker.errors import Fault
from worker.seconds import LONGEST
from worker.suggestion import hint
from worker.tokens import limits, referrers
from worker.tokens.rights import ALL, DEFAULT, Given

MOST = 1000
"""Members of each list."""

# an end that is no line's end: "$" alone would let one stand after it
_ID = r"^[A-Za-z0-9_.\-]{1,128}$(?!\n)"
Id = Annotated[str, Meta(pattern=_ID, description="letters, digits, '-', '_', '.'")]
Pattern = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9_.\-*?]{1,128}$(?!\n)", description="a type or a pattern of types")
]
Name = Annotated[str, Meta(min_length=1, max_length=128, pattern=r"^[^\x00]+$")]
Value = Annotated[str, Meta(min_length=1, max_length=1024, pattern=r"^[^\x00]+$")]
Time = Annotated[datetime, Meta(tz=True)]


def may_be_id(text: str) -> bool:
    """Whether a token can have this id; a database need not even be able to keep another."""
    return re.search(_ID, text) is not None


class TokenDocument(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a token may do.

    Attributes:
        id: its name; letters, digits, ``-``, ``_``, ``.``.
        rights: what it may do at all.
        messages: types, or patterns of types, that it may send or ask; empty: all.
        scopes: the values of a scope that it reaches; scopes that are not named are not narrowed.
        plugins: that it switches on.
        limits: how many messages, like ``10/s``, or ``1K`` in all.
        referrers: hosts, one of which the ``Referer`` must have; empty: none is asked for.
        max_hits: the most that a query may ask for, where its type names the field.
        ttl: seconds for which answers to GET queries may be kept.
        expires_at: from when on it is not known any more.
        metadata: whatever its owner wants to note.
    """

    id: Id
    rights: Annotated[tuple[Given, ...], Meta(max_length=MOST)] = DEFAULT
    messages: Annotated[tuple[Pattern, ...], Meta(max_length=MOST)] = ()
    scopes: Annotated[
        dict[Name, Annotated[tuple[Value, ...], Meta(max_length=MOST)]], Meta(max_length=100)
    ] = {}
    plugins: Annotated[tuple[Name, ...], Meta(max_length=MOST)] = ()
    limits: Annotated[tuple[str, ...], Meta(max_length=100)] = ()
    referrers: Annotated[tuple[str, ...], Meta(max_length=MOST)] = ()
    max_hits: Annotated[int, Meta(ge=0, le=2**53)] | None = None
    ttl: Annotated[int, Meta(ge=0, le=int(LONGEST))] = 60
    expires_at: Time | None = None
    metadata: dict[str, Any] = {}


class KnownToken(TokenDocument, frozen=True, kw_only=True):
    """A token that exists. Times that there are none of are None: a configured token has no others.

    Attributes:
        created_at: when it was first stored.
        updated_at: when it was last changed.
        used_at: when it was last shown, to within a minute.
    """

    created_at: Time | None = None
    updated_at: Time | None = None
    used_at: Time | None = None


def stored(members: Mapping[str, Any]) -> KnownToken:
    """Read a document that was stored, by this version or by a later one, while processes of both run.

    What this version does not know is left out: a member, and a right, which allows nothing here. So a later
    version that adds a member by which a token may do less must write such a token so that this one cannot read it.

    Raises:
        ValueError: what the token may do cannot be told; names the first fault.
    """
    known = {name: value for name, value in members.items() if name in KnownToken.__struct_fields__}
    if isinstance(rights := known.get("rights"), list):
        known["rights"] = [right for right in rights if right == "*" or right in ALL]
    token = msgspec.convert(known, KnownToken)
    for fault in faults_of(token, token.plugins):
        raise ValueError(f"{fault.message} - at `${fault.pointer}`")
    return token


def faults_of(token: TokenDocument, plugins: Collection[str]) -> Iterator[Fault]:
    """Say what cannot be meant by a token whose members have the right types.

    Args:
        token: as written.
        plugins: that there are in the application.
    """
    for name, values in token.scopes.items():
        for place, value in enumerate(values):
            if value == "*" or "," in value:
                what = (
                    "a list without the scope is for all of them" if value == "*" else "values have no commas"
                )
                yield Fault(f"/scopes/{_escaped(name)}/{place}", f"{value!r}: expected one value; {what}")
    for place, plugin in enumerate(token.plugins):
        if plugin not in plugins:
            yield Fault(f"/plugins/{place}", f"no plugin {plugin!r} is enabled{hint(plugin, plugins)}")
    for place, text in enumerate(token.limits):
        try:
            limits.parse(text)
        except ValueError as error:
            yield Fault(f"/limits/{place}", str(error))
    for place, host in enumerate(token.referrers):
        if referrers.HOST.match(host) is None:
            yield Fault(f"/referrers/{place}", "expected a host in lower case, or one like *.example.com")
    try:
        in_utc(token)
    except OverflowError:
        yield Fault("/expires_at", "expected a time from the year 1 to 9999 in UTC")


def in_utc(token: TokenDocument) -> TokenDocument:
    """Return the token with its end written in UTC; ``faults_of`` says where it cannot be."""
    if token.expires_at is None:
        return token
    return msgspec.structs.replace(token, expires_at=token.expires_at.astimezone(UTC))


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
