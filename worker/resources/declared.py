"""What an application declares about its resources, before and after it is checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from worker.resources.hook import Event
from worker.resources.operation import Operation


class ResourceEntry(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """A class that is a resource, and the options that were given; ``options`` has only these."""

    cls: Any
    options: Mapping[str, Any] = {}


class ProcessorEntry(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """A declared processor.

    Attributes:
        name: by which operations name it.
        cls: its class.
        supports: ``(data, operation) -> bool``; None: only where it is named.
        priority: among those that support something; higher is asked first.
        resumable: whether the next that supports its result is called with that.
    """

    name: str
    cls: Any
    supports: Callable[..., Any] | None = None
    priority: int = 0
    resumable: bool = False


class ProviderEntry(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """A declared provider; its options are those of a processor, and ``supports`` takes the operation alone."""

    name: str
    cls: Any
    supports: Callable[..., Any] | None = None
    priority: int = 0


class ListenerEntry(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """A declared listener.

    Attributes:
        target: the function, or the class with ``subscribed_events``.
        place: the hook or event; None for a class, which names its methods' places itself.
        priority: as given; None where it was not.
        when: conditions by attribute.
        plugin: that it is part of.
    """

    target: Any
    place: Any = None
    priority: Any = None
    when: Mapping[str, object] = {}
    plugin: str | None = None


class Listener(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """A listener at its place.

    Attributes:
        name: its module and qualified name.
        event: where it listens.
        priority: higher comes first.
        function: what is called; None where it is a class's method.
        cls: whose method it is, made when it is first called; all its methods share one object.
        method: the method's name.
        when: conditions by attribute.
        plugin: that it is part of.
        place: how many entries of the application, of whatever kind, were declared before it.
    """

    name: str
    event: Event
    priority: int
    function: Callable[..., Any] | None = None
    cls: type[Any] | None = None
    method: str = ""
    when: Mapping[str, object] = {}
    plugin: str | None = None
    place: int = 0


class DeclaredResource(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """A resource whose declaration is checked, but for what its fields and its store say.

    Attributes:
        name: of the resource.
        cls: of its objects.
        path: of its collection.
        identifier: name of the field that identifies an object.
        operations: with absolute paths, names and everything that comes from the resource or the method.
        store: as given; None where nothing was.
        scopes: field by scope.
        shapeless: whether only a store can say what its fields are: its class is mapped.
    """

    name: str
    cls: type[Any]
    path: str
    identifier: str
    operations: tuple[Operation, ...]
    store: Any = None
    scopes: Mapping[str, str] = {}
    shapeless: bool = False
