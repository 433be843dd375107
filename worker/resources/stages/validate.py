"""Validate: the constraints of the object, as the body and the listeners left it."""

from __future__ import annotations

from worker.errors import InvalidMessage
from worker.resources.event import RequestEvent
from worker.resources.resource import Resource
from worker.resources.shape import Shape


class Validate:
    """Asks the constraints of what is to be written.

    Args:
        resource: of the operation.
        shapes: by class: the resource's, and that of the operation's ``input``. Objects of other classes pass.
    """

    def __init__(self, resource: Resource, shapes: dict[type, Shape]) -> None:
        self._name = resource.name
        self._shapes = shapes

    def __call__(self, event: RequestEvent) -> None:
        """Ask them.

        Raises:
            InvalidMessage: some do not hold; carries every one.
        """
        if event.switches is not None and event.leaves_out("receive"):
            return
        result = event.result
        shape = self._shapes.get(type(result))
        if shape is None:
            shape = next((of for cls, of in self._shapes.items() if isinstance(result, cls)), None)
        faults = shape.check(result) if shape is not None else ()
        if faults:
            raise InvalidMessage(self._name, faults)
