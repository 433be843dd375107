"""The life cycles of an application's operations, without anything that runs."""

from __future__ import annotations

from tests.unit.http.fakes import World
from worker import App
from worker.http.resources.messenger import RequestMessenger
from worker.http.resources.requests import Requests, processing_of
from worker.resources.declared import DeclaredResource
from worker.resources.lifecycle import LifeCycle, ListenerSteps
from worker.resources.resolving import resolved


def compiled(app: App) -> list[LifeCycle]:
    """Put the chain of each operation in order."""
    registry = app.registry()
    resources = resolved(registry.entries_of(DeclaredResource), lambda declared: declared.store)
    ports = World(registry=registry, resources=resources).ports
    found: list[LifeCycle] = []
    for resource in resources:
        processing = processing_of(resource, RequestMessenger(ports, resource), registry)
        found += [
            Requests(resource, operation, processing, ports, ListenerSteps()).life_cycle
            for operation in resource.operations
        ]
    return found
