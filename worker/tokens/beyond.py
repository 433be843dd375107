"""Beyond: what a token cannot give, renew or remove, since it reaches further than the token itself."""

from __future__ import annotations

from worker.errors import Forbidden
from worker.tokens import patterns, referrers
from worker.tokens.document import TokenDocument
from worker.tokens.limits import rules, within
from worker.tokens.principal import Principal
from worker.tokens.rights import granted


def check_within(own: Principal, other: TokenDocument) -> None:
    """Refuse a token that goes beyond another.

    Args:
        own: who gives, renews or removes.
        other: what is given, renewed or removed.

    Raises:
        Forbidden: names the member that goes beyond.
    """
    mine = own.token
    if mine is None:
        return
    beyond = {
        "rights": ("*" in other.rights and "*" not in mine.rights)
        or not granted(other.rights) <= own.granted,
        "messages": not _messages_within(mine, other),
        "scopes": any(
            not set(other.scopes.get(name, ("*",))) <= set(values) for name, values in mine.scopes.items()
        ),
        "plugins": own.plugins is not None and not set(other.plugins) <= set(own.plugins),
        "limits": not _limits_within(mine, other),
        "referrers": bool(mine.referrers) and not _referrers_within(mine, other),
        "max_hits": mine.max_hits is not None and (other.max_hits is None or other.max_hits > mine.max_hits),
        "expires_at": mine.expires_at is not None
        and (other.expires_at is None or other.expires_at > mine.expires_at),
    }
    if found := [member for member, is_beyond in beyond.items() if is_beyond]:
        raise Forbidden(f"token {other.id!r} goes beyond token {own.id!r} in {', '.join(found)}")


def _messages_within(mine: TokenDocument, other: TokenDocument) -> bool:
    if not mine.messages:
        return True
    return bool(other.messages) and all(
        any(patterns.covers(own, pattern) for own in mine.messages) for pattern in other.messages
    )


def _limits_within(mine: TokenDocument, other: TokenDocument) -> bool:
    theirs = rules(other.limits)
    return all(any(within(each, own) for each in theirs) for own in rules(mine.limits))


def _referrers_within(mine: TokenDocument, other: TokenDocument) -> bool:
    return bool(other.referrers) and all(
        any(referrers.covers(own, host) for own in mine.referrers) for host in other.referrers
    )
