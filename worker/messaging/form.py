"""Forms: how messages travel whose classes msgspec does not read by itself."""

from __future__ import annotations

from typing import Any, Protocol


class Form(Protocol):
    """Turns the messages of one class into data and back."""

    @property
    def struct(self) -> type[Any]:
        """The class that data is read as; msgspec reads it."""
        ...

    def data(self, message: Any) -> Any:
        """Return what msgspec writes for a message."""
        ...

    def message(self, read: Any) -> Any:
        """Make the message of what was read.

        Raises:
            ValueError: the class refuses its values.
        """
        ...
