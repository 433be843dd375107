"""Spending: what tokens send is counted by their limits, over all processes, without asking the database each time."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import datetime

from worker.errors import LimitReached
from worker.tokens.document import KnownToken
from worker.tokens.limits import Rule, Window, window
from worker.tokens.principal import Principal
from worker.tokens.store import Counts, Wanted

PART = 100
"""A process takes this part of what is left of a limit at once; of less than that, one by one."""
ROOM = 10_000
"""Tokens whose shares are kept; what is left of the one that was not used for longest is given up."""


class Spending:
    """Lets messages through as long as their token's limits do.

    A process takes a share of a window from the database, counted as if it were spent, and spends it by itself: never
    more is let through than the limit, by however many processes. What a process does not use of its share is lost to
    the others, at most the ``PART`` of what was left when it was taken. Messages at the same time share a statement.

    Args:
        counts: of all processes.
        wall: seconds since the epoch.
    """

    def __init__(self, counts: Counts, wall: Callable[[], float]) -> None:
        self._counts = counts
        self._wall = wall
        self._shares: OrderedDict[tuple[str, datetime | None], _Shares] = OrderedDict()

    async def spend(self, principal: Principal) -> None:
        """Count a message by each limit of its token, or by none where one of them is reached.

        Raises:
            LimitReached: one more would be too many.
            DatabaseUnavailable: the share is spent, and the database does not answer.
        """
        shares = self._of(principal)
        if shares.take(principal.limits, self._wall()):
            return
        shares.waiting += 1
        try:
            async with shares.lock:
                while not shares.take(principal.limits, now := self._wall()):
                    await self._fill(principal, shares, now)
        finally:
            shares.waiting -= 1

    async def _fill(self, principal: Principal, shares: _Shares, now: float) -> None:
        """Take another share of each limit of which nothing is left here."""
        id = principal.id or ""
        wanted = shares.wanted(principal.limits, now, shares.waiting)
        if wanted is None:
            raise shares.refusal(id, principal.limits, now)
        found = await self._counts.take(id, wanted)
        # who was too late for all of it may be in time for the last ones
        again = [
            one._replace(more=1)
            for one, count in zip(wanted, found, strict=True)
            if count is None and one.more > 1
        ]
        shares.took(wanted, found, over=not again)
        if again:
            shares.took(again, await self._counts.take(id, again), over=True)

    def _of(self, principal: Principal) -> _Shares:
        token = principal.token
        # one that was removed and made anew is another, though it has the same name
        key = (principal.id or "", token.created_at if isinstance(token, KnownToken) else None)
        shares = self._shares.get(key)
        if shares is None:
            shares = self._shares[key] = _Shares()
            while len(self._shares) > ROOM:
                self._shares.popitem(last=False)
        self._shares.move_to_end(key)
        return shares


class _Share:
    """What is left here of one limit, in one window of it."""

    __slots__ = ("left", "over", "seen", "window")

    def __init__(self, of: Window) -> None:
        self.window = of
        self.left = 0
        self.seen = 0
        self.over = False


class _Shares:
    """What is left here of the limits of one token.

    Attributes:
        lock: of who takes more.
        waiting: how many messages need more.
    """

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.waiting = 0
        self._by_rule: dict[Rule, _Share] = {}

    def take(self, rules: Sequence[Rule], now: float) -> bool:
        """Spend one of each; False, and nothing is spent, where there is not enough."""
        found = [self._share(rule, now) for rule in rules]
        if not all(share.left for share in found):
            return False
        for share in found:
            share.left -= 1
        return True

    def wanted(self, rules: Sequence[Rule], now: float, waiting: int) -> list[Wanted] | None:
        """What to ask for; None where a limit is known to be reached."""
        asked: list[Wanted] = []
        for rule in sorted(rules):  # in one order everywhere, so that two processes never wait for each other
            share = self._share(rule, now)
            if share.left:
                continue
            rest = rule.most - share.seen
            if share.over or rest <= 0:
                share.over = True
                return None
            more = min(rest, max(1, waiting, rest // PART))
            asked.append(Wanted(rule.unit, share.window, more, rule.most))
        return asked

    def took(self, wanted: Sequence[Wanted], counts: Sequence[int | None], *, over: bool) -> None:
        """Keep what was given; ``over``: where nothing was, nothing is left in the window."""
        for one, count in zip(wanted, counts, strict=True):
            share = self._by_rule[Rule(one.unit, one.most)]
            if share.window != one.window:
                continue
            if count is not None:
                share.left += one.more
                share.seen = count
            elif over or one.more == 1:
                share.over = True

    def refusal(self, token: str, rules: Sequence[Rule], now: float) -> LimitReached:
        """Say which limits are reached, and when the last of them is not any more."""
        reached = [rule for rule in rules if self._share(rule, now).over]
        ends = [self._share(rule, now).window.end for rule in reached]
        named = " and ".join(f"{rule.most}{f'/{rule.unit}' if rule.unit else ' in all'}" for rule in reached)
        after = None if None in ends else max(end for end in ends if end is not None) - now
        return LimitReached(f"token {token!r} has reached its limit of {named}", after)

    def _share(self, rule: Rule, now: float) -> _Share:
        share = self._by_rule.get(rule)
        if (
            share is not None
            and share.window.start <= now
            and (share.window.end is None or now < share.window.end)
        ):
            return share
        if share is None:  # a limit that was changed is another: what was taken under the old one is given up
            self._by_rule = {one: kept for one, kept in self._by_rule.items() if one.unit != rule.unit}
        share = self._by_rule[rule] = _Share(window(rule.unit, now))
        return share
