"""Routing: which transport and queue a message type goes to, decided once at start."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from worker.errors import ConfigurationError
from worker.messaging.declaration import MessageType, Registry
from worker.messaging.naming import queue_name
from worker.messaging.transport import QueueSpec
from worker.suggestion import hint

INLINE = "inline"
"""Routes to here are handled at once, in the process that dispatches."""


class Destination(msgspec.Struct, frozen=True):
    """Where a type goes; ``transport`` is None when it is handled inline."""

    transport: str | None
    queue: str


class Routes(msgspec.Struct, frozen=True):
    """Where each command and event goes, and each transport's queues."""

    by_type: Mapping[str, Destination]
    queues: Mapping[str, Sequence[QueueSpec]]

    def transports(self) -> list[str]:
        """Names of the transports that some message is routed to."""
        return list(self.queues)


def plan(
    registry: Registry, rules: Mapping[str, str], transports: Sequence[str], events: str = "queue"
) -> Routes:
    """Route every command and event.

    A transport given in the declaration wins; then an exact name in ``rules``; then the longest pattern that
    matches (``*`` and ``?`` as in file names).

    Args:
        registry: the declared types.
        rules: type or pattern to transport or ``inline``.
        transports: names of the configured ones.
        events: ``queue``, ``inline`` or ``ignore``.

    Raises:
        ConfigurationError: a type without route, an unknown transport, a rule that matches no type, two types whose
            names give one queue though neither asks for it.
    """
    faults = list(_rule_faults(registry, rules))
    by_type: dict[str, Destination] = {}
    members: dict[tuple[str, str], list[MessageType]] = {}
    for message in (*registry.of_kind("command"), *registry.of_kind("event")):
        queue = message.queue or queue_name(registry.application, message.name)
        target = _target(message, rules)
        if message.kind == "event" and events != "queue":
            target = INLINE
        if target == INLINE:
            by_type[message.name] = Destination(None, queue)
            continue
        if target is None or target not in transports:
            what = (
                "no route; add it to [routing]"
                if target is None
                else f"routed to {target!r}, which is not configured{_near(target, transports)}"
            )
            faults.append(
                f"{message.kind} {message.name!r}: {what}; transports: {', '.join(transports) or 'none'}"
            )
            continue
        by_type[message.name] = Destination(target, queue)
        members.setdefault((target, queue), []).append(message)
    faults.extend(_collisions(members))
    if faults:
        raise ConfigurationError(faults)
    queues: dict[str, list[QueueSpec]] = {}
    for (transport, queue), types in members.items():
        handled = [
            message for message in types if message.kind == "command" or registry.handlers.get(message.name)
        ]
        if not handled:
            continue
        spec = QueueSpec(
            name=queue,
            types=tuple(message.name for message in types),
            keyed=any(message.key is not None for message in types),
            priority=max(message.priority for message in types),
        )
        queues.setdefault(transport, []).append(spec)
    return Routes(by_type, queues)


def _rule_faults(registry: Registry, rules: Mapping[str, str]) -> Iterator[str]:
    """Rules that route nothing; ``*`` may stand for later."""
    routed = [message.name for message in registry.messages.values() if message.kind != "query"]
    for rule in rules:
        if rule == "*" or any(fnmatch.fnmatchcase(name, rule) for name in routed):
            continue
        declared = registry.by_name.get(rule)
        if declared is None:
            why = f"matches no command or event{hint(rule, routed)}"
        elif declared.kind == "query":
            why = "is a query, which is answered at once and never routed"
        else:
            why = f"is an alias; expected {declared.name!r}"
        yield f"routing.{rule if rule.isidentifier() else repr(rule)}: {rule!r} {why}"


def _near(name: str, known: Sequence[str]) -> str:
    told = hint(name, known)
    return told if told.startswith("; did") else ""


def _collisions(members: Mapping[tuple[str, str], Sequence[MessageType]]) -> Iterator[str]:
    for (transport, queue), types in members.items():
        unasked = [message.name for message in types if message.queue is None]
        if unasked and len(types) > 1:
            yield (
                f"queue {queue!r} on {transport!r}: the names of {', '.join(m.name for m in types)} come to the same; "
                f"say queue= for {' and '.join(unasked)}"
            )


def _target(message: MessageType, rules: Mapping[str, str]) -> str | None:
    if message.transport is not None:
        return message.transport
    if message.name in rules:
        return rules[message.name]
    matching = [pattern for pattern in rules if fnmatch.fnmatchcase(message.name, pattern)]
    return rules[max(matching, key=len)] if matching else None
