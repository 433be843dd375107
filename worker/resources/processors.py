"""Which processor an operation has, and which provider: named ones, then messenger, then those that support it, then the store's."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple

from worker.awaiting import AnyCall, awaitable
from worker.errors import ConfigurationError
from worker.resources.built_in import MessengerProcessor, PersistProcessor, Provider, RemoveProcessor
from worker.resources.calling import said
from worker.resources.declared import ProcessorEntry, ProviderEntry
from worker.resources.making import make
from worker.resources.operation import Operation
from worker.resources.resource import Resource
from worker.texts import told

Process = Callable[[Any, Operation, Mapping[str, Any], Mapping[str, Any]], Awaitable[Any]]
"""Processes data: ``(data, operation, uri_variables, context)``."""


class Chosen(NamedTuple):
    """What was chosen for an operation.

    Attributes:
        call: None where there is nothing; of the application ``process`` or ``provide``, of a built-in one ``perform``.
        own: whether it is the application's, or may be one of those, by what they support.
        stores: whether it is what writes to the store, and nothing else.
    """

    call: Any
    own: bool
    stores: bool = False


class Processing:
    """Makes the processors and providers of one resource; each class once.

    Args:
        resource: resolved.
        built_in: the built-in ones of this resource, by class.
        processors: declared ones, in order of declaration.
        providers: likewise.
    """

    def __init__(
        self,
        resource: Resource,
        built_in: Mapping[type[Any], Any],
        processors: Sequence[ProcessorEntry],
        providers: Sequence[ProviderEntry],
    ) -> None:
        self._resource = resource
        self._built_in = dict(built_in)
        self._processors = {entry.name: entry.cls for entry in processors}
        self._providers = {entry.name: entry.cls for entry in providers}
        self._supporting = [
            e for e in sorted(processors, key=lambda e: -e.priority) if e.supports is not None
        ]
        self._providing = [e for e in sorted(providers, key=lambda e: -e.priority) if e.supports is not None]
        self._made: dict[type[Any], Any] = {}

    def processor(self, operation: Operation) -> Chosen:
        """Choose what changes the stored state."""
        named = operation.processor
        if named is not None:
            cls = self._processors[named] if isinstance(named, str) else named
            if cls not in self._built_in:
                return Chosen(self._process(cls), own=True)
            stores = cls in {PersistProcessor, RemoveProcessor} and self._resource.store is not None
            return Chosen(self._built_in[cls].perform, own=False, stores=stores)
        if operation.messenger:
            return Chosen(self._built_in[MessengerProcessor].perform, own=False)
        last = RemoveProcessor if operation.is_delete else PersistProcessor
        default = None if self._resource.store is None else last
        if not self._supporting:
            call = None if default is None else self._built_in[default].perform
            return Chosen(call, own=False, stores=default is not None)
        return Chosen(self._first_that_supports(default), own=True)

    def provider(self, operation: Operation) -> Chosen:
        """Choose what reads."""
        named = operation.provider
        if named is not None:
            cls = self._providers[named] if isinstance(named, str) else named
            if cls in self._built_in:
                return Chosen(self._built_in[cls].perform, own=False)
            return Chosen(self._provide(cls), own=True)
        default = self._built_in[Provider].perform
        stored = self._resource.store is not None
        for entry in self._providing:
            if self._supports(entry, operation):
                return Chosen(self._provide(entry.cls), own=True)
        return Chosen(default if stored else None, own=False)

    def _supports(self, entry: ProviderEntry, operation: Operation) -> bool:
        try:
            return entry.supports is not None and bool(entry.supports(operation))
        except Exception as error:
            raise ConfigurationError(
                f"resource {self._resource.name}: provider {entry.name!r}: its supports failed: {told(error)}"
            ) from error

    def _process(self, cls: type[Any]) -> AnyCall:
        return awaitable(self._object(cls).process)

    def _provide(self, cls: type[Any]) -> AnyCall:
        return awaitable(self._object(cls).provide)

    def _object(self, cls: type[Any]) -> Any:
        if cls in self._built_in:
            return self._built_in[cls]
        if cls not in self._made:
            try:
                self._made[cls] = make(cls, self._built_in)
            except ConfigurationError as error:
                raise ConfigurationError(f"resource {self._resource.name}: {error}") from error
        return self._made[cls]

    def _first_that_supports(self, default: type[Any] | None) -> Process:
        chain = [(entry.supports, entry.resumable, self._process(entry.cls)) for entry in self._supporting]
        last = None if default is None else self._built_in[default].process

        async def process(
            data: Any, operation: Operation, uri_variables: Mapping[str, Any], context: Mapping[str, Any]
        ) -> Any:
            """Call the first that supports the data; after a resumable one the next that supports its result."""
            for supports, resumable, call in chain:
                if supports is None or not await said(supports, data, operation):
                    continue
                result = await call(data, operation, uri_variables, context)
                if not resumable:
                    return result
                data = data if result is None else result
            return data if last is None else await last(data, operation, uri_variables, context)

        return process
