"""The forms in which objects of resources travel as messages."""

from __future__ import annotations

from typing import Any

import msgspec

from worker.resources.shape import Shape


class ShapeForm:
    """Objects travel by their fields; a class of columns gives a transient object at the other end.

    Args:
        shape: of the class.
    """

    def __init__(self, shape: Shape) -> None:
        self.struct: type[Any] = shape.struct
        self._shape = shape
        self._written = dict(
            zip(shape.struct.__struct_fields__, shape.struct.__struct_encode_fields__, strict=True)
        )

    def data(self, message: Any) -> Any:
        """Return its fields as they are written."""
        written = self._written
        return {written[name]: value for name, value in self._shape.values(message).items()}

    def message(self, read: Any) -> Any:
        """Make an object of the fields."""
        found = {name: getattr(read, name) for name in self._written}
        return self._shape.carried(
            {name: value for name, value in found.items() if value is not msgspec.UNSET}
        )
