"""Order by key: a resource's messages of one type leave one way, so that none overtakes another.

What a processor sends beside a store leaves with the commit, by way of the outbox; what is only dispatched goes to its broker
at once, and would get there first.
"""

from __future__ import annotations

from worker.messaging.declaration import Registry
from worker.resources.built_in import MessengerProcessor
from worker.resources.declared import ProcessorEntry
from worker.resources.making import built_in_of
from worker.resources.resource import Resource


def sends_with_commits(resource: Resource, registry: Registry) -> bool:
    """Whether a processor of the application may send beside the store of a resource."""
    if resource.store is None:
        return False
    named = {operation.processor for operation in resource.operations}
    return any(
        MessengerProcessor in built_in_of(entry.cls).values()
        for entry in registry.entries_of(ProcessorEntry)
        if entry.supports is not None or not named.isdisjoint({entry.name, entry.cls})
    )
