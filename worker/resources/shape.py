"""Shapes: how the objects of a class become data and back, whatever kind of class it is."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import msgspec

from worker.errors import Fault
from worker.messaging.faults import collect


class Unsettable(ValueError):
    """A field was given a value that may not be set.

    Attributes:
        field: its name.
        text: why, without it.
    """

    def __init__(self, field: str, text: str) -> None:
        super().__init__(f"{field} {text}")
        self.field = field
        self.text = text


class Shape(Protocol):
    """The fields of one class, and how its objects are made of them and read into them."""

    @property
    def fields(self) -> Mapping[str, Any]:
        """Annotation by name, in order; constraints (``Annotated[..., Meta(...)]``) are kept, relationships left out."""
        ...

    @property
    def required(self) -> frozenset[str]:
        """Fields that a new object cannot do without."""
        ...

    @property
    def struct(self) -> type[msgspec.Struct]:
        """A Struct with these fields, for reading, writing and JSON Schema; of a Struct the class itself."""
        ...

    def make(self, values: Mapping[str, Any]) -> Any:
        """Make a new object; fields that are absent have their defaults.

        Raises:
            ValueError: the class refuses these values.
        """
        ...

    def absent(self, name: str) -> Any:
        """Return what a field holds of which nothing is said.

        ``msgspec.NODEFAULT`` where something has to be; ``UNSET`` where only the store knows, or it is not to be changed.
        """
        ...

    def carried(self, values: Mapping[str, Any]) -> Any:
        """Make an object again of what a message carries: the fields of another one.

        Raises:
            ValueError: the class refuses these values.
        """
        ...

    def fill(self, obj: Any, values: Mapping[str, Any]) -> Any:
        """Return the object with these fields set: itself where it can be changed, else a copy.

        Raises:
            ValueError: the class refuses these values.
        """
        ...

    def replace(self, obj: Any, values: Mapping[str, Any]) -> Any:
        """Return the object with these fields set and all others as a new object has them, but for its identifier.

        Raises:
            ValueError: the class refuses these values.
            Stale: they are of another version of the object.
        """
        ...

    def values(self, obj: Any) -> dict[str, Any]:
        """Return what its fields hold; those of a new object that its store has yet to fill in are left out."""
        ...

    def copy(self, obj: Any) -> Any:
        """Copy an object, so that changes of one are not seen in the other."""
        ...

    def check(self, obj: Any) -> Sequence[Fault]:
        """Ask the constraints, of the object as it is now; return every one that does not hold."""
        ...


class FieldShape:
    """A shape made of a class's fields: the ground that those of each kind of class stand on.

    Args:
        cls: of the objects.
        fields: annotation by name, in order.
        defaults: of fields that have one: the value, or ``msgspec.field(...)``; the others are required.
        struct: where there is one; else it is made.
        refill: makes a copy of an object with other values; None where its fields can be set.
    """

    def __init__(
        self,
        cls: type[Any],
        fields: Mapping[str, Any],
        defaults: Mapping[str, Any],
        *,
        struct: type[msgspec.Struct] | None = None,
        refill: Callable[..., Any] | None = None,
    ) -> None:
        self.cls = cls
        self.fields = dict(fields)
        self.required = frozenset(name for name in fields if name not in defaults)
        self.struct = struct_of(cls.__name__, fields, defaults) if struct is None else struct
        self._refill = refill

    def make(self, values: Mapping[str, Any]) -> Any:
        """Make a new object by calling the class."""
        return self.cls(**values)

    def absent(self, name: str) -> Any:
        """Return the default of the Struct's field."""
        field = next(one for one in msgspec.structs.fields(self.struct) if one.name == name)
        if field.default_factory is not msgspec.NODEFAULT:
            return field.default_factory()
        return field.default

    def carried(self, values: Mapping[str, Any]) -> Any:
        """Make a new object."""
        return self.make(values)

    def fill(self, obj: Any, values: Mapping[str, Any]) -> Any:
        """Set the fields, or copy the object with them."""
        if self._refill is not None:
            return self._refill(obj, **values)
        for name, value in values.items():
            setattr(obj, name, value)
        return obj

    def replace(self, obj: Any, values: Mapping[str, Any]) -> Any:
        """Make a new object, and set what it holds."""
        return self.fill(obj, self.values(self.make(values)))

    def values(self, obj: Any) -> dict[str, Any]:
        """Read the fields."""
        return {name: getattr(obj, name) for name in self.fields}

    def copy(self, obj: Any) -> Any:
        """Copy the object and all that it holds."""
        return copy.deepcopy(obj)

    def check(self, obj: Any) -> Sequence[Fault]:
        """Convert its values to the Struct, which has all constraints."""
        return struct_faults(self.struct, self.values(obj))


def struct_of(
    name: str, fields: Mapping[str, Any], defaults: Mapping[str, Any], **options: Any
) -> type[msgspec.Struct]:
    """Make a Struct of fields; their order does not have to put required ones first.

    Raises:
        TypeError: a field's annotation is nothing that msgspec reads.
    """
    return msgspec.defstruct(
        name,
        [
            (field, hint, defaults[field]) if field in defaults else (field, hint)
            for field, hint in fields.items()
        ],
        kw_only=True,
        **options,
    )


def struct_faults(struct: type[msgspec.Struct], values: Mapping[str, Any]) -> list[Fault]:
    """Return what is wrong with plain values of a Struct's fields, by attribute name; nothing where they fit."""
    names = dict(zip(struct.__struct_fields__, struct.__struct_encode_fields__, strict=True))
    data = msgspec.to_builtins(
        {names.get(name, name): value for name, value in values.items() if value is not msgspec.UNSET},
        str_keys=True,
    )
    try:
        msgspec.convert(data, struct, str_keys=True)
    except (ValueError, RecursionError) as error:
        return collect(struct, data, error)
    return []
