"""Overviews: a resource and its operations as a document, with the steps of each in order of execution."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from worker.messaging.declaration import Registry
from worker.messaging.declaring.functions import name_of
from worker.resources.checking.operations import reads
from worker.resources.declared import DeclaredResource, ProcessorEntry, ProviderEntry
from worker.resources.documents import Documents
from worker.resources.lifecycle import ListenerSteps, application_steps, chain_of, facts_of, groups_of, stage
from worker.resources.operation import Operation
from worker.resources.places import places_of

Json = dict[str, Any]


def resource_document(declared: DeclaredResource, registry: Registry) -> Json:
    """Describe a resource; nothing of the application's is made or called.

    Args:
        declared: checked.
        registry: of the application.
    """
    return {
        "name": declared.name,
        "class": name_of(declared.cls),
        "path": declared.path,
        "identifier": declared.identifier,
        "store": _store(declared),
        "scopes": dict(declared.scopes),
        "operations": [_operation(declared, one, registry) for one in declared.operations],
    }


def _store(declared: DeclaredResource) -> str | None:
    if declared.store is None:
        return "mapped" if declared.shapeless else None
    if isinstance(declared.store, Documents):
        return f"documents {declared.store.collection}"
    return name_of(type(declared.store))


def _operation(declared: DeclaredResource, operation: Operation, registry: Registry) -> Json:
    stored = _store(declared) is not None
    return {
        "method": operation.method,
        "path": operation.path,
        "name": operation.name,
        "action": operation.action,
        "status": operation.status,
        "messenger": operation.messenger or False,
        "input": _class(operation.input),
        "output": _class(operation.output),
        "processor": processor_name(operation, registry, stored=stored),
        "provider": provider_name(operation, registry, stored=stored),
        "security": operation.security is not None,
        "security_after": operation.security_after is not None,
        "errors": {cls.__name__: status for cls, status in (operation.errors or {}).items()},
        "timeout": operation.timeout,
        "parameters": list(operation.parameters),
        "steps": _steps(declared, operation, registry),
    }


def processor_name(operation: Operation, registry: Registry, *, stored: bool) -> str | None:
    """Name what changes the stored state; several where it depends on the data."""
    if operation.is_safe or operation.write is False or operation.persist is False:
        return None
    if operation.processor is not None:
        return operation.processor if isinstance(operation.processor, str) else operation.processor.__name__
    if operation.messenger:
        return "MessengerProcessor"
    last = ["RemoveProcessor" if operation.is_delete else "PersistProcessor"] if stored else []
    return " | ".join([*_supporting(registry.entries_of(ProcessorEntry)), *last]) or None


def provider_name(operation: Operation, registry: Registry, *, stored: bool) -> str | None:
    """Name what reads, likewise."""
    if not reads(operation):
        return None
    if operation.provider is not None:
        return operation.provider if isinstance(operation.provider, str) else operation.provider.__name__
    return (
        " | ".join([*_supporting(registry.entries_of(ProviderEntry)), *(["Provider"] if stored else [])])
        or None
    )


def _supporting(entries: Iterable[ProcessorEntry | ProviderEntry]) -> list[str]:
    return [one.name for one in sorted(entries, key=lambda it: -it.priority) if one.supports is not None]


def _class(given: Any) -> Any:
    return name_of(given) if isinstance(given, type) else given


def _steps(declared: DeclaredResource, operation: Operation, registry: Registry) -> list[Json]:
    facts = facts_of(declared.cls, operation)
    stages = [
        stage(place.stage, place.event, place.priority, _never)
        for place in places_of(operation, scoped=bool(declared.scopes))
    ]
    own = application_steps(registry, operation, ListenerSteps())
    chain = chain_of(facts, stages, own, groups_of(registry, operation))
    return [
        {
            "step": step.name,
            "group": step.group,
            "priority": step.priority,
            "when": {one.attribute: one.text for one in step.when},
            "plugin": step.plugin,
        }
        for step in chain.steps
    ]


async def _never(event: Any) -> None:
    """Stands for a stage that is only looked at."""
