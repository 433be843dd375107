"""What is paused: rules in the order they were made, and what they come to for one message type."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from typing import Literal

import msgspec

ScopeKind = Literal["all", "kind", "type", "pattern", "queue"]
Action = Literal["pause", "resume"]
Origin = Literal["operator", "breaker", "exclusive", "ramp"]

RECENT = 600.0
"""Seconds after a resume in which a worker that starts takes work up as those do that were there."""


class Scope(msgspec.Struct, frozen=True):
    """What a rule is about.

    Attributes:
        by: by what it chooses; ``all`` chooses everything, also what is declared later.
        value: kind, type, pattern or queue (patterns too); empty for ``all``.
    """

    by: ScopeKind = "all"
    value: str = ""

    def covers(self, target: Target) -> bool:
        """Whether a type is meant."""
        match self.by:
            case "all":
                return True
            case "kind":
                return target.kind == self.value
            case "queue":
                return fnmatchcase(target.queue, self.value)
            case _:
                return fnmatchcase(target.type, self.value)


EVERYTHING = Scope()


class Target(msgspec.Struct, frozen=True):
    """A message type that is consumed: its wire name, kind, transport and queue."""

    type: str
    kind: str
    transport: str
    queue: str


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One stored rule; of two that cover a type the later one counts.

    Attributes:
        number: place in the order they were made.
        action: what it does to what it covers.
        scope: what it covers.
        origin: who it comes from; a breaker's rules stand apart from those of operators.
        actor: who made it, as shown.
        reason: why, as given.
        since: seconds since the epoch.
        until: when an operator's pause ends by itself, or a breaker's next message is tried.
        owner: name of the breaker; empty for operators.
    """

    number: int
    action: Action
    scope: Scope
    actor: str
    since: float
    origin: Origin = "operator"
    reason: str | None = None
    until: float | None = None
    owner: str = ""

    def holds(self, now: float) -> bool:
        """Whether it still counts; only what came of a breaker outlasts its end, until a worker has probed."""
        return self.until is None or now < self.until or self.origin == "breaker"


class Pause(msgspec.Struct, frozen=True, kw_only=True):
    """Why a type is paused, since when, by whom, and until when (None: until it is resumed)."""

    reason: str | None
    actor: str
    since: float
    until: float | None
    origin: Origin = "operator"


class ExclusiveCommand(msgspec.Struct, frozen=True, kw_only=True):
    """An exclusive message that runs, or waits until nothing else does, until its lock is released or over.

    Attributes:
        worker: that holds the lock for it.
        type: of the message.
        since: when it took the lock.
        until: when the lock ends by itself; its worker moves that on.
    """

    worker: str
    type: str
    since: float
    until: float


class Pauses(msgspec.Struct, frozen=True, kw_only=True):
    """All rules as of one version; the version changes with every change of them.

    Attributes:
        version: counts changes.
        rules: in the order they were made.
        exclusive: the command that all others wait for; None for none.
    """

    version: int = 0
    rules: tuple[Rule, ...] = ()
    exclusive: ExclusiveCommand | None = None

    def for_exclusive(self, now: float) -> Pause | None:
        """Return why all commands wait, None while they do not."""
        if self.exclusive is None or self.exclusive.until <= now:
            return None
        reason = f"{self.exclusive.type} runs alone"
        return Pause(
            reason=reason,
            actor=self.exclusive.worker,
            since=self.exclusive.since,
            until=self.exclusive.until,
            origin="exclusive",
        )

    def of(self, target: Target, now: float) -> Pause | None:
        """Return why a type is paused, None while it is not.

        Several pauses are one: it shows the first of them, and ends with the last.
        """
        found = self._operators(target, now)
        if not found:
            found = [rule for rule in self._covering(target, "breaker") if rule.holds(now)]
        if not found:
            return None
        first = found[0]
        ends = [rule.until for rule in found]
        until = None if None in ends else max(end for end in ends if end is not None)
        return Pause(
            reason=first.reason, actor=first.actor, since=first.since, until=until, origin=first.origin
        )

    def ended(self, target: Target, now: float) -> Pause | None:
        """Return the pause of a type that ended lately, as it was then; None where there was none."""
        for rule in reversed(self.rules):
            if not rule.scope.covers(target) or rule.until is None or rule.origin == "breaker":
                continue
            if rule.origin == "ramp" or rule.action == "pause":
                over = rule.until - RECENT if rule.origin == "ramp" else rule.until
                if over <= now < over + RECENT:
                    by_breaker: Origin = "breaker" if rule.actor == "breaker" else "operator"
                    return Pause(
                        reason=rule.reason, actor=rule.actor, since=rule.since, until=over, origin=by_breaker
                    )
        return None

    def owners(self, target: Target) -> set[str]:
        """Names of the breakers that hold a type."""
        return {rule.owner for rule in self._covering(target, "breaker")}

    def breakers(self) -> dict[str, float]:
        """Names of the breakers that are open, and when each may try a message."""
        return {rule.owner: rule.until or 0.0 for rule in self.rules if rule.origin == "breaker"}

    def _operators(self, target: Target, now: float) -> list[Rule]:
        found: list[Rule] = []
        for rule in self._covering(target, "operator"):
            if rule.action == "resume":
                found.clear()
            elif rule.holds(now):
                found.append(rule)
        return found

    def _covering(self, target: Target, origin: Origin) -> Iterable[Rule]:
        return (rule for rule in self.rules if rule.origin == origin and rule.scope.covers(target))


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What a pause or resume does to the stored rules: which go, and which are made.

    ``made`` are rules without their final number; the store gives it.
    """

    gone: tuple[int, ...] = ()
    made: tuple[Rule, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether it changes nothing."""
        return not (self.gone or self.made)


class Applied(msgspec.Struct, frozen=True):
    """How far the workers are with a version of the pauses: how many are alive, and who of them has not applied it."""

    live: int
    lagging: tuple[str, ...]

    @property
    def share(self) -> str:
        """As shown: ``applied/alive``."""
        return f"{self.live - len(self.lagging)}/{self.live}"


def paused(
    pauses: Pauses,
    scopes: Sequence[Scope],
    *,
    actor: str,
    reason: str | None,
    now: float,
    until: float | None,
) -> Change:
    """Say what pausing ``scopes`` changes; pausing the same again joins the two."""
    gone: list[int] = []
    made: list[Rule] = []
    for scope in scopes:
        rule = Rule(number=0, action="pause", scope=scope, actor=actor, reason=reason, since=now, until=until)
        for old in pauses.rules:
            if old.origin != "operator":
                continue
            if old.action == "resume":
                if scope == EVERYTHING:
                    gone.append(old.number)
            elif old.scope == scope:
                gone.append(old.number)
                if old.holds(now):
                    rule = _joined(old, rule)
        made.append(rule)
    return Change(gone=tuple(dict.fromkeys(gone)), made=tuple(made))


def resumed(
    pauses: Pauses, scopes: Sequence[Scope], targets: Sequence[Target], *, actor: str, now: float
) -> Change:
    """Say what resuming ``scopes`` changes: afterwards none of ``targets`` is paused, by whichever rule it was."""
    trail = [rule for target in targets if (rule := trace(pauses, target, now)) is not None]
    again = {rule.scope for rule in trail}
    gone = [rule.number for rule in pauses.rules if rule.origin == "ramp" and rule.scope in again]
    holding = [rule for rule in pauses.rules if rule.origin != "ramp"]
    if EVERYTHING in scopes:
        return Change(gone=(*gone, *(rule.number for rule in holding)), made=tuple(trail))
    types = {target.type for target in targets}
    gone += [
        rule.number
        for rule in holding
        if rule.scope in scopes or (rule.scope.by == "type" and rule.scope.value in types)
    ]
    left = Pauses(rules=tuple(rule for rule in pauses.rules if rule.number not in gone))
    made = [
        Rule(number=0, action="resume", scope=Scope("type", target.type), actor=actor, since=now)
        for target in targets
        if left.of(target, now) is not None
    ]
    return Change(gone=tuple(gone), made=(*made, *trail))


def trace(pauses: Pauses, target: Target, now: float) -> Rule | None:
    """Make what is left for a while of a type's pause when it ends, for workers that start then; holds nothing."""
    pause = pauses.of(target, now)
    if pause is None:
        return None
    return Rule(
        number=0,
        action="resume",
        scope=Scope("type", target.type),
        actor=pause.actor,
        reason=pause.reason,
        since=pause.since,
        until=now + RECENT,
        origin="ramp",
    )


def outlived(pauses: Pauses, now: float) -> tuple[int, ...]:
    """Numbers of the rules that mean nothing any more: ended pauses, and exceptions from pauses that are gone."""
    ended = [rule.number for rule in pauses.rules if not rule.holds(now)]
    left = [rule for rule in pauses.rules if rule.number not in ended]
    if not any(rule.action == "pause" and rule.origin == "operator" for rule in left):
        ended += [rule.number for rule in left if rule.action == "resume" and rule.origin == "operator"]
    return tuple(ended)


def _joined(old: Rule, new: Rule) -> Rule:
    """Two pauses of one scope: begun with the first, ended with the later."""
    until = None if old.until is None or new.until is None else max(old.until, new.until)
    return msgspec.structs.replace(
        new, actor=old.actor, since=old.since, reason=old.reason or new.reason, until=until
    )
