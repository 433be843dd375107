"""Declaring resources: the decorators of resources, processors, providers and listeners."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import Any, Literal, TypeVar, overload

from worker.messaging.declaring.declarations import Declares
from worker.resources.declared import ListenerEntry, ProcessorEntry, ProviderEntry, ResourceEntry
from worker.resources.hook import Event, Hook
from worker.resources.operation import GetCollection, Operation

T = TypeVar("T")

OPTIONS = (
    "path",
    "operations",
    "identifier",
    "messenger",
    "input",
    "output",
    "processor",
    "provider",
    "security",
    "errors",
    "timeout",
    "store",
    "scopes",
    "name",
    "listeners",
)
"""Options of a resource."""
_OF_OPERATIONS = {
    **{field.name: "GetCollection" for field in fields(GetCollection)},
    **{field.name: "Post" for field in fields(Operation)},
    "allow_create": "Put",
}
"""By the name of an option that a resource may not have: an operation that has it."""


class DeclaresResources(Declares):
    """The decorators of resources and of what takes part in their requests."""

    @overload
    def resource(self, cls: type[T], /) -> type[T]: ...
    @overload
    def resource(
        self,
        *,
        path: str | None = None,
        operations: Sequence[Operation] | None = None,
        identifier: str = "id",
        messenger: bool | Literal["input"] = False,
        input: type[Any] | Literal[False] | None = None,
        output: type[Any] | Literal[False] | None = None,
        processor: type[Any] | str | None = None,
        provider: type[Any] | str | None = None,
        security: Callable[[Any, Any, Any], object] | None = None,
        errors: Mapping[type[BaseException], int] | None = None,
        timeout: float | None = None,
        store: Any = None,
        scopes: Mapping[str, str] | None = None,
        name: str | None = None,
        listeners: bool = True,
    ) -> Callable[[type[T]], type[T]]: ...
    def resource(self, cls: Any = None, **options: Any) -> Any:
        """Expose a class over HTTP.

        Args:
            cls: the class, when used bare.
            **options: ``path`` (the class's name in kebab case, plural, unless given), ``operations`` (all six unless
                given), ``identifier`` (name of the field), ``store`` and ``scopes``, and what its operations have
                unless they say otherwise: ``messenger``, ``input``, ``output``, ``processor``, ``provider``,
                ``security``, ``errors``, ``timeout``, ``listeners``. See ``Operation``.
        """
        options = self._declared.known("resource", options, OPTIONS, _OF_OPERATIONS)
        return self._decorate(lambda it: ResourceEntry(cls=it, options=options), cls)

    @overload
    def processor(self, cls: type[T], /) -> type[T]: ...
    @overload
    def processor(
        self,
        *,
        name: str | None = None,
        supports: Callable[[Any, Any], object] | None = None,
        priority: int = 0,
        resumable: bool = False,
    ) -> Callable[[type[T]], type[T]]: ...
    def processor(self, cls: Any = None, **options: Any) -> Any:
        """Declare a state processor: a class with ``process(self, data, operation, uri_variables, context)``.

        Operations name it by its class or its name; with ``supports``, ``(data, operation) -> bool``, it is called for all
        that it says yes to and that names no other. Parameters of its constructor that are annotated ``PersistProcessor``,
        ``RemoveProcessor``, ``MessengerProcessor`` or ``Provider`` get the built-in one of the resource at hand.

        Args:
            cls: the class, when used bare.
            **options: ``name`` (the class's unless given), ``supports``, ``priority`` (higher is asked first) and
                ``resumable``: after it, the next that supports its result is called with that.
        """
        options = self._declared.known("processor", options, ("name", "supports", "priority", "resumable"))
        return self._decorate(lambda it: ProcessorEntry(cls=it, **_named(it, options)), cls)

    @overload
    def provider(self, cls: type[T], /) -> type[T]: ...
    @overload
    def provider(
        self, *, name: str | None = None, supports: Callable[[Any], object] | None = None, priority: int = 0
    ) -> Callable[[type[T]], type[T]]: ...
    def provider(self, cls: Any = None, **options: Any) -> Any:
        """Declare a provider: a class with ``provide(self, operation, uri_variables, context)``, plain or async.

        It gives an object, a list or a ``Page`` of them, or None: there is none.

        Args:
            cls: the class, when used bare.
            **options: ``name``, ``supports`` (``(operation) -> bool``) and ``priority``, as a processor has them.
        """
        options = self._declared.known("provider", options, ("name", "supports", "priority"))
        return self._decorate(lambda it: ProviderEntry(cls=it, **_named(it, options)), cls)

    @overload
    def listener(self, place: type[T], /) -> type[T]: ...
    @overload
    def listener(
        self,
        place: Hook | Event | None = None,
        *,
        priority: int | None = None,
        when: Mapping[str, object] | None = None,
        plugin: str | None = None,
    ) -> Callable[[T], T]: ...
    def listener(self, place: Any = None, **options: Any) -> Any:
        """Declare a listener: ``async def tell(event) -> None``, or ``def``, called at a place of each resource's request.

        Args:
            place: a ``Hook``, or an event: ``request``, ``view``, ``response`` or ``exception``. A class with
                ``subscribed_events``, methods by place, needs none.
            **options: ``priority`` at an event (higher first), ``when`` (conditions by attribute), ``plugin``.
        """
        options = self._declared.known("listener", options, ("priority", "when", "plugin"))
        when = options.get("when")
        options["when"] = {} if when is None else when

        def entry(target: Any) -> ListenerEntry:
            return ListenerEntry(target=target, place=place if placed else None, **options)

        placed = isinstance(place, str | Hook) or not callable(place)
        return self._decorate(entry, None if placed else place)


def _named(cls: Any, options: Mapping[str, Any]) -> dict[str, Any]:
    name = options.get("name")
    return {**options, "name": getattr(cls, "__name__", repr(cls)) if name is None else name}
