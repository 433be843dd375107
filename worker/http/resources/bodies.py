"""What is read of an operation's bodies, and by which shapes."""

from __future__ import annotations

from typing import Any

from worker.messaging.declaration import MessageType, Registry
from worker.resources.class_shapes import class_shape
from worker.resources.operation import Operation
from worker.resources.reading import Bodies
from worker.resources.resource import Resource
from worker.resources.shape import Shape


def reads_own(resource: Resource, operation: Operation) -> bool:
    """Whether bodies are read into the resource's own class."""
    return not isinstance(operation.input, type) or operation.input is resource.cls


def shapes_of(resource: Resource, operation: Operation) -> dict[type[Any], Shape]:
    """The shapes of what an operation may have in hand, by class: the resource's, and that of its input."""
    shapes = {resource.cls: resource.shape}
    if isinstance(operation.input, type) and not reads_own(resource, operation):
        shape = class_shape(operation.input)
        if shape is not None:
            shapes[operation.input] = shape
    return shapes


def bodies_of(resource: Resource, operation: Operation, registry: Registry, *, whole: bool) -> Bodies:
    """Make what reads the bodies of an operation.

    Args:
        resource: of the operation.
        operation: resolved.
        registry: of the application: a class that is a message says itself what is done with unknown members.
        whole: whether constraints may be asked as a body is read.
    """
    cls = operation.input if isinstance(operation.input, type) else resource.cls
    known = registry.by_class.get(cls)
    shape = shapes_of(resource, operation)[cls]
    return Bodies(resource, operation, shape, whole=whole, extra="forbid" if known is None else known.extra)


def message_of(resource: Resource, operation: Operation, registry: Registry) -> MessageType | None:
    """The type of what an operation dispatches; None where that is no message."""
    cls = operation.input if isinstance(operation.input, type) else resource.cls
    return registry.by_class.get(cls) or registry.by_class.get(resource.cls)
