"""Authentication: whose token a request shows. The one place where a caller becomes a principal."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.types import Scope

from worker.http.access import Access
from worker.http.ports import Tokens
from worker.http.problems import NO_RIGHT, UNAUTHORIZED, Problem
from worker.messaging.identity import Clock
from worker.tokens.principal import ANYONE, Principal
from worker.tokens.referrers import comes_from

_AUTHORIZATION = b"authorization"
_CHALLENGE = [("WWW-Authenticate", "Bearer")]


class Authentication:
    """Finds the principal of each request: by its token; without one, as long as tokens are not in use, by its address.

    Args:
        access: lets in callers without a token, as long as tokens are not in use.
        tokens: what is known of them.
        clock: seconds since the epoch.
    """

    def __init__(self, access: Access, tokens: Tokens, clock: Clock) -> None:
        self._access = access
        self._tokens = tokens
        self._clock = clock

    def at_hand(self, scope: Scope, headers: Mapping[bytes, bytes]) -> Principal | None:
        """Return who calls where that is known and there is nothing more to ask, as it is with most; else None.

        The short way of ``principal``, which answers the others.

        Raises:
            Problem: 403 where there are no tokens, for a caller on another machine.
        """
        shown = headers.get(_AUTHORIZATION)
        if shown is None:
            if self._tokens.in_use:
                return None
            self._access.check(scope, headers)
            return ANYONE
        if shown[:7] != b"Bearer " or len(headers) != len(scope["headers"]):
            return None
        found = self._tokens.at_hand(shown[7:])
        return None if found is None or found.bound else found

    async def principal(
        self, scope: Scope, headers: Mapping[bytes, bytes], *, open: bool = False
    ) -> Principal:
        """Return who calls; ``open``: what is called needs no token.

        Raises:
            Problem: 401 without a token that is known and has not expired, 403 for one that is used on a page of
                another host; without tokens, 403 for a caller on another machine.
            DatabaseUnavailable: it is not known whose the token is, and the database does not answer.
        """
        shown = None if open else headers.get(_AUTHORIZATION)
        secret = None if shown is None else _secret(shown)
        if secret is None:
            if not self._tokens.in_use:
                self._access.check(scope, headers)
            elif not open:
                raise Problem(
                    UNAUTHORIZED, "expected a token: Authorization: Bearer SECRET", headers=_CHALLENGE
                )
            return ANYONE
        if len(headers) != len(scope["headers"]) and _several(scope):
            raise Problem(UNAUTHORIZED, "expected one Authorization header, not several", headers=_CHALLENGE)
        found = await self._tokens.find(secret)
        if found is None:
            raise Problem(UNAUTHORIZED, "no token has this secret", headers=_CHALLENGE)
        if found.expires is not None and self._clock() >= found.expires:
            raise Problem(UNAUTHORIZED, f"token {found.id!r} has expired", headers=_CHALLENGE)
        hosts = () if found.token is None else found.token.referrers
        if hosts and not comes_from(hosts, headers.get(b"referer")):
            raise Problem(
                NO_RIGHT, f"token {found.id!r} is not for this page: it is for those of its hosts only"
            )
        return found


def _secret(authorization: bytes) -> bytes | None:
    """Return what a header shows as a token; None where it is about something else."""
    scheme, _space, secret = authorization.partition(b" ")
    if scheme.lower() != b"bearer":
        return None
    return secret.strip(b" ")


def _several(scope: Scope) -> bool:
    return [name for name, _ in scope["headers"]].count(_AUTHORIZATION) > 1
