"""Pausing and resuming: what is named becomes stored rules, by two commands of the command bus."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from typing import Any

from worker.errors import Guarded, NotFound, UnknownType, UsageError
from worker.messaging.consumers import Controlled, PauseConsumers, ResumeConsumers
from worker.messaging.context import Context
from worker.messaging.declaration import Registry
from worker.messaging.identity import Clock
from worker.messaging.pausing import EVERYTHING, Applied, Change, Pauses, Scope, Target, paused, resumed
from worker.messaging.routing import Routes
from worker.messaging.stamps import SentBy
from worker.seconds import CENTURY, seconds_of
from worker.state.pauses import SqlPauses
from worker.state.workers import Workers
from worker.texts import NAME, storable
from worker.tokens.principal import Principal
from worker.wiring.built_in import BuiltIn

LIVE = 15.0
"""Seconds after its last heartbeat in which a worker counts as alive."""

_POLL = 0.1
_WILD = frozenset("*?[")


def _actor(command: PauseConsumers | ResumeConsumers, context: Context) -> str:
    """Who does it: the token that sent it, whatever the command says; without one, whom it names."""
    sent = context.envelope.get(SentBy)
    principal = None if sent is None else sent.principal
    token = principal.id if isinstance(principal, Principal) else None
    return command.actor if token is None else token


def targets_of(registry: Registry, routes: Routes) -> tuple[Target, ...]:
    """All types that workers consume, and from where."""
    return tuple(
        Target(name, registry.messages[name].kind, transport, spec.name)
        for transport, specs in routes.queues.items()
        for spec in specs
        for name in spec.types
    )


class Pausing:
    """Handles ``PauseConsumers`` and ``ResumeConsumers``, and tells how far workers are with them.

    Args:
        registry: the application's.
        routes: where its types go.
        store: of the rules.
        workers: that report what they have applied.
        clock: seconds since the epoch.
    """

    def __init__(
        self, registry: Registry, routes: Routes, store: SqlPauses, workers: Workers, clock: Clock
    ) -> None:
        self.targets = targets_of(registry, routes)
        self._by_type = {target.type: target for target in self.targets}
        self._registry = registry
        self._store = store
        self._workers = workers
        self._clock = clock

    def messages(self) -> tuple[BuiltIn, ...]:
        """The commands, and what handles them."""
        return (
            BuiltIn(cls=PauseConsumers, call=self.pause, right="consumers", wants_context=True),
            BuiltIn(cls=ResumeConsumers, call=self.resume, right="consumers", wants_context=True),
        )

    async def pause(self, command: PauseConsumers, context: Context) -> Controlled:
        """Store the pause.

        Raises:
            UnknownType: a type is not declared, or a pattern fits none; nothing was changed.
            NotFound: a queue is not known; nothing was changed.
            UsageError: a type is not queued, or ``seconds`` is no time; nothing was changed.
            Guarded: types that were not named would be held too, and ``shared`` is not said.
        """
        scopes, chosen = self._chosen(command.types, command.queues, command.kinds)
        held = self._with_mates(chosen)
        if len(held) > len(chosen) and not command.shared:
            mates = [target for target in held if target not in chosen]
            queues = sorted({target.queue for target in mates})
            raise Guarded(
                f"{', '.join(sorted(t.type for t in chosen if t.queue in queues))} shares queue {', '.join(queues)} "
                f"with {', '.join(sorted(t.type for t in mates))}, which would be held too; "
                "say shared (--shared) to pause all of them"
            )
        now = self._clock()
        until = None if command.seconds is None else now + _length(command.seconds)
        reason = None if command.reason is None else storable(command.reason)
        actor = storable(_actor(command, context), NAME)
        version, before = await self._change(
            lambda pauses: paused(pauses, scopes, actor=actor, reason=reason, now=now, until=until),
            held,
            action="pause",
            actor=actor,
            subject=_shown(scopes),
            reason=reason,
            until=until,
        )
        types = tuple(target.type for target in held)
        return Controlled(version, types, tuple(name for name in types if name not in before))

    async def resume(self, command: ResumeConsumers, context: Context) -> Controlled:
        """Take back all that pauses these types, by any actor. Raises as ``pause``, but for ``Guarded``."""
        scopes, chosen = self._chosen(command.types, command.queues, command.kinds)
        held = self._with_mates(chosen)
        now = self._clock()
        actor = storable(_actor(command, context), NAME)
        version, before = await self._change(
            lambda pauses: resumed(pauses, scopes, held, actor=actor, now=now),
            held,
            action="resume",
            actor=actor,
            subject=_shown(scopes),
            reason=None if command.reason is None else storable(command.reason),
        )
        types = tuple(target.type for target in held)
        return Controlled(version, types, tuple(name for name in types if name in before))

    async def read(self) -> Pauses:
        """Return the stored rules.

        Raises:
            DatabaseUnavailable: the database does not answer.
        """
        return await self._store.read()

    async def is_paused(self, type_name: str) -> bool:
        """Whether messages of a type wait for a resume.

        Raises:
            DatabaseUnavailable: the database does not answer.
        """
        target = self._by_type.get(type_name)
        if target is None:
            return False
        pauses, now = await self._store.read(), self._clock()
        return self._waits(target, pauses, now)

    async def applied(self, version: int) -> Applied:
        """Tell how many workers that are alive have applied a version.

        Raises:
            DatabaseUnavailable: the database does not answer.
        """
        live = await self._workers.live(LIVE)
        return Applied(len(live), tuple(worker.id for worker in live if worker.applied_version < version))

    async def until_applied(self, version: int, seconds: float) -> Applied:
        """Wait until every worker that is alive has applied a version, at most ``seconds``.

        Raises:
            DatabaseUnavailable: the database does not answer.
        """
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while True:
            found = await self.applied(version)
            if not found.lagging or loop.time() >= end:
                return found
            await asyncio.sleep(min(_POLL, max(0.0, end - loop.time())))

    async def busy(self, version: int) -> tuple[str, ...]:
        """Names of the workers alive in which commands may run that a version shall stop.

        Raises:
            DatabaseUnavailable: the database does not answer.
        """
        live = await self._workers.live(LIVE)
        return tuple(worker.id for worker in live if worker.quiet_version < version)

    def mates(self, target: Target) -> list[Target]:
        """The types of a type's queue, itself included."""
        return self._with_mates([target])

    async def _change(
        self, decide: Callable[[Pauses], Change], held: Sequence[Target], **facts: Any
    ) -> tuple[int, set[str]]:
        """Store a change; return the version, and which types were paused before it."""
        before: set[str] = set()
        now = self._clock()

        def deciding(pauses: Pauses) -> Change:
            """Look, in the transaction of the change."""
            before.update(target.type for target in held if self._waits(target, pauses, now))
            return decide(pauses)

        return await self._store.change(deciding, **facts), before

    def _waits(self, target: Target, pauses: Pauses, now: float) -> bool:
        """Whether a type waits, be it for a pause of another one of its queue."""
        return any(pauses.of(mate, now) is not None for mate in self._with_mates([target]))

    def _with_mates(self, chosen: Sequence[Target]) -> list[Target]:
        """Add the types that share a queue with one of these: a queue is held as a whole."""
        queues = {(target.transport, target.queue) for target in chosen}
        return [target for target in self.targets if (target.transport, target.queue) in queues]

    def _chosen(
        self, types: Sequence[str], queues: Sequence[str], kinds: Sequence[str]
    ) -> tuple[list[Scope], list[Target]]:
        scopes = [self._type_scope(name) for name in types]
        scopes += [self._queue_scope(name) for name in queues]
        scopes += [Scope("kind", kind.removesuffix("s")) for kind in kinds]
        scopes = list(dict.fromkeys(scopes)) or [EVERYTHING]
        return scopes, [target for target in self.targets if any(scope.covers(target) for scope in scopes)]

    def _type_scope(self, name: str) -> Scope:
        if _WILD.intersection(name):
            if not any(fnmatchcase(known, name) for known in self._by_type):
                raise UnknownType(name, sorted(self._by_type))
            return Scope("pattern", name)
        declared = self._registry.by_name.get(name)
        if declared is None or declared.kind == "query":
            raise UnknownType(name, sorted(self._by_type))
        if declared.name not in self._by_type:
            raise UsageError(f"{declared.name} waits on no queue of this service; there is nothing to pause")
        return Scope("type", declared.name)

    def _queue_scope(self, name: str) -> Scope:
        known = sorted({target.queue for target in self.targets})
        if not any(fnmatchcase(queue, name) for queue in known):
            raise NotFound(f"no queue {name!r} is consumed; known: {', '.join(known) or 'none'}")
        return Scope("queue", name)


def _shown(scopes: Sequence[Scope]) -> list[str]:
    return [
        scope.value if scope.by == "type" else f"{scope.by}:{scope.value}".rstrip(":") for scope in scopes
    ]


def _length(seconds: object) -> float:
    """Seconds that a pause lasts; the command may have been made with anything."""
    try:
        length = seconds_of(seconds, CENTURY)
    except ValueError as error:
        raise UsageError(f"PauseConsumers(seconds={error})") from None
    if not length:
        raise UsageError("PauseConsumers(seconds=0): expected more than 0")
    return length
