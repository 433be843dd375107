"""What a process is before anything is opened: its settings, its application and its name."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from worker.messaging.declaration import Registry
from worker.messaging.identity import Clock
from worker.messaging.machine import Machine
from worker.messaging.observing import Observer, all_of
from worker.messaging.routing import Routes, plan
from worker.settings import Settings
from worker.wiring.forms import with_forms


class Process(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """What all parts are made from.

    Attributes:
        settings: checked.
        registry: what the application declares, checked.
        routes: where its messages go.
        clock: seconds since the epoch.
        machine: on which it runs.
        observer: hears what happens in it.
        name: of this process among all workers.
        started_at: seconds since the epoch.
    """

    settings: Settings
    registry: Registry
    routes: Routes
    clock: Clock
    machine: Machine
    observer: Observer
    name: str
    started_at: float


def make_process(
    settings: Settings,
    registry: Registry,
    machine: Machine,
    name: str | None = None,
    observers: Sequence[Observer] = (),
) -> Process:
    """Describe this process; ``name``: None for a new one.

    Raises:
        ConfigurationError: a type without route, or routed to what is not configured.
    """
    registry = with_forms(registry, settings)
    return Process(
        settings=settings,
        registry=registry,
        routes=routes_of(settings, registry),
        clock=machine.clock,
        machine=machine,
        observer=all_of(observers),
        name=name or machine.process_name(),
        started_at=machine.clock(),
    )


def routes_of(settings: Settings, registry: Registry) -> Routes:
    """Route the application's messages by the settings.

    Raises:
        ConfigurationError: a type without route, or routed to what is not configured.
    """
    return plan(registry, settings.routing, list(settings.transports), settings.events.mode)
