"""Chooses the queues that a consumer process takes from."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

import msgspec

from worker.errors import ConfigurationError
from worker.messaging.declaration import Registry
from worker.messaging.routing import Routes
from worker.messaging.transport import QueueSpec
from worker.runtime.options import ConsumeOptions


def unaliased(options: ConsumeOptions, registry: Registry) -> ConsumeOptions:
    """Say types that are given by an alias by their own names, which queues know them by."""
    known = registry.by_name
    names = tuple(known[name].name if name in known else name for name in options.types)
    return options if names == options.types else msgspec.structs.replace(options, types=names)


def choose(routes: Routes, options: ConsumeOptions) -> list[tuple[str, QueueSpec, int]]:
    """Pick the queues to consume: transport, queue and rank by the order they were named in.

    Raises:
        ConfigurationError: nothing is left, or a name is not known; all of them in one.
    """
    known = {spec.name for specs in routes.queues.values() for spec in specs}
    types = {name for specs in routes.queues.values() for spec in specs for name in spec.types}
    faults = [
        f"transport {name!r}: no message is routed to it; known: {', '.join(routes.queues) or 'none'}; "
        f"""WORKER_ROUTING='{{"TYPE": "{name}"}}' routes a type there for this process alone"""
        for name in options.transports
        if name not in routes.queues
    ]
    for flag, given, there in (
        ("--queue", options.queues, known),
        ("--exclude-queue", options.exclude_queues, known),
        ("--type", options.types, types),
    ):
        faults += [
            f"{flag} {name!r}: matches nothing; known: {', '.join(sorted(there)) or 'none'}"
            for name in given
            if not _place(there, [name])
        ]
    if faults:
        raise ConfigurationError(faults)
    chosen = []
    for place, name in enumerate(dict.fromkeys(options.transports or routes.transports())):
        for spec in routes.queues[name]:
            rank = _rank(spec, options)
            if rank is not None:
                chosen.append((name, spec, (place if options.transports else 0) * 1000 + rank))
    if not chosen and (known or not options.idle):
        raise ConfigurationError("no queue is left to consume")
    return chosen


def _rank(spec: QueueSpec, options: ConsumeOptions) -> int | None:
    """Place of a queue among those named; None when it is not wanted."""
    if any(fnmatchcase(spec.name, pattern) for pattern in options.exclude_queues):
        return None
    if options.types and not any(
        fnmatchcase(name, pattern) for name in spec.types for pattern in options.types
    ):
        return None
    if not options.queues:
        return 0
    return next(
        (place for place, pattern in enumerate(options.queues) if fnmatchcase(spec.name, pattern)), None
    )


def _place(there: set[str], patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for name in there for pattern in patterns)
