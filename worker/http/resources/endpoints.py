"""The endpoints of resources: each operation declared as one, so that its route and its documentation are made of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from worker.errors import ConfigurationError
from worker.http.endpoint import Direct, Endpoint, Method
from worker.http.endpoints import ENDPOINTS
from worker.http.ports import Ports
from worker.http.resources.bodies import bodies_of
from worker.http.resources.collection import collection_faults
from worker.http.resources.describing import described
from worker.http.resources.messenger import RequestMessenger
from worker.http.resources.published import published
from worker.http.resources.requests import Requests, processing_of
from worker.http.resources.stages.respond import BODILESS
from worker.messaging.declaration import Registry
from worker.resources.checking.outputs import output_faults
from worker.resources.class_shapes import class_shape
from worker.resources.declared import ProviderEntry
from worker.resources.lifecycle import ListenerSteps
from worker.resources.operation import GetCollection, Operation
from worker.resources.places import deserializes
from worker.resources.processors import Processing
from worker.resources.resource import Resource

VARIABLE = re.compile(r"\{(\w+)")


def resource_endpoints(resources: Sequence[Resource], registry: Registry, title: str) -> tuple[Endpoint, ...]:
    """Make the endpoints of all operations, and those that describe them.

    Args:
        resources: all of the application.
        registry: of it.
        title: of the API.

    Raises:
        ConfigurationError: a resource is where the product's own endpoints are, a collection is asked for what its
            fields cannot be, a path does not say which object is meant, or nothing can fill what is answered.
    """
    taken = {_first(endpoint.path) for endpoint in ENDPOINTS}
    faults = [
        f"resource {resource.name}: {operation.method} {operation.path}: /{_first(operation.path or '')} is the "
        "product's own; give it another path="
        for resource in resources
        for operation in resource.operations
        if _first(operation.path or "") in taken
    ]
    provided = any(entry.supports is not None for entry in registry.entries_of(ProviderEntry))
    for resource in resources:
        for operation in resource.operations:
            where = f"resource {resource.name}: {operation.method} {operation.path}"
            if isinstance(operation, GetCollection):
                faults += [f"{where}: {fault}" for fault in collection_faults(resource, operation)]
            elif not provided and _anything(resource, operation):
                faults.append(
                    f"{where}: its path says nothing of which {resource.name} is meant; expected "
                    f"{{{resource.identifier}}} in it, or a provider= that knows"
                )
            faults += [f"{where}: {fault}" for fault in output_faults(resource, operation, registry)]
    if faults:
        raise ConfigurationError(faults)
    made = _Made()
    operations = [
        _endpoint(resource, operation, registry, made)
        for resource in resources
        for operation in resource.operations
    ]
    return (*operations, *published(resources, title))


def _anything(resource: Resource, operation: Operation) -> bool:
    """Whether an operation is about one stored object, and nothing says about which."""
    reads = operation.read is not False and (operation.read is True or operation.method != "POST")
    named = set(VARIABLE.findall(operation.path or "")) & resource.shape.fields.keys()
    return (
        reads
        and operation.receive is not False
        and operation.provider is None
        and resource.store is not None
        and not named
    )


def _first(path: str) -> str:
    return path.split("/")[1] if path.count("/") else path


def _endpoint(resource: Resource, operation: Operation, registry: Registry, made: _Made) -> Endpoint:
    method: Method = operation.method  # type: ignore[assignment]
    bodies = bodies_of(resource, operation, registry, whole=False) if deserializes(operation) else None
    return Endpoint(
        method,
        operation.path or "",
        "resources",
        lambda given: made.call(resource, operation, given),
        **described(
            resource,
            operation,
            body=None if bodies is None else bodies.struct,
            answer=_answer(resource, operation),
            extra="forbid" if bodies is None else bodies.extra,
        ),
    )


def _answer(resource: Resource, operation: Operation) -> type[Any] | None:
    """What an operation answers; None where its answer has no body."""
    if operation.output is False or operation.status in BODILESS:
        return None
    if isinstance(operation.output, type) and operation.output is not resource.cls:
        shape = class_shape(operation.output)
        return operation.output if shape is None else shape.struct
    return resource.shape.struct


class _Made:
    """What the endpoints of one application share; made for the first of them."""

    def __init__(self) -> None:
        self._ports: Ports | None = None
        self._listeners = ListenerSteps()
        self._processing: dict[Resource, Processing] = {}

    def call(self, resource: Resource, operation: Operation, ports: Ports) -> Direct:
        """Make what answers an operation."""
        if self._ports is not ports:
            self._ports, self._listeners, self._processing = ports, ListenerSteps(), {}
        if resource not in self._processing:
            self._processing[resource] = processing_of(
                resource, RequestMessenger(ports, resource), ports.registry
            )
        return Requests(resource, operation, self._processing[resource], ports, self._listeners)
