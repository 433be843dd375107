"""Shapes of Structs, dataclasses, attrs classes and Pydantic models."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Annotated, Any

import msgspec

from worker.errors import Fault
from worker.messaging.faults import MAX_FAULTS, escape
from worker.resources.foreign import Foreign, is_foreign
from worker.resources.shape import FieldShape, Shape


def class_shape(cls: type[Any]) -> Shape | None:
    """Make the shape of a class; None where it is none of these.

    Raises:
        TypeError: a field's annotation is nothing that can be read and written.
        NameError: an annotation names nothing that is known.
    """
    asked: Any = cls
    return _class_shape(asked)


@cache
def _class_shape(cls: Any) -> Shape | None:
    # one shape for the resource and for its messages: documents have one schema of it
    if issubclass(cls, msgspec.Struct):
        return _struct_shape(cls)
    if dataclasses.is_dataclass(cls):
        return _dataclass_shape(cls)
    if hasattr(cls, "__attrs_attrs__"):
        return _attrs_shape(cls)
    if hasattr(cls, "model_fields") and hasattr(cls, "__pydantic_validator__"):
        return PydanticShape(cls)
    return None


def _struct_shape(cls: type[msgspec.Struct]) -> Shape:
    hints = typing.get_type_hints(cls, include_extras=True)
    defaults = {
        field.name: field.default if field.default is not msgspec.NODEFAULT else field.default_factory
        for field in msgspec.structs.fields(cls)
        if not field.required
    }
    frozen = cls.__struct_config__.frozen
    return FieldShape(
        cls,
        {name: hints[name] for name in cls.__struct_fields__},
        defaults,
        struct=cls,
        refill=msgspec.structs.replace if frozen else None,
    )


def _dataclass_shape(cls: Any) -> Shape:
    hints = typing.get_type_hints(cls, include_extras=True)
    fields = [field for field in dataclasses.fields(cls) if field.init]
    defaults: dict[str, Any] = {}
    for field in fields:
        if field.default is not dataclasses.MISSING:
            defaults[field.name] = msgspec.field(default=field.default)
        elif field.default_factory is not dataclasses.MISSING:
            defaults[field.name] = msgspec.field(default_factory=field.default_factory)
    frozen = cls.__dataclass_params__.frozen
    return FieldShape(
        cls,
        {field.name: hints[field.name] for field in fields},
        defaults,
        refill=dataclasses.replace if frozen else None,
    )


def _attrs_shape(cls: Any) -> Shape:
    hints = typing.get_type_hints(cls, include_extras=True)
    attributes = [attribute for attribute in cls.__attrs_attrs__ if attribute.init]
    defaults: dict[str, Any] = {}
    for attribute in attributes:
        default = attribute.default
        factory = getattr(default, "factory", None)
        if factory is not None and not default.takes_self:
            defaults[attribute.name] = msgspec.field(default_factory=factory)
        elif factory is not None:
            # what follows from other fields is made by the class itself
            defaults[attribute.name] = msgspec.field(default=None)
        elif default is not _nothing():
            defaults[attribute.name] = msgspec.field(default=default)
    return _AttrsShape(cls, {it.name: hints.get(it.name, Any) for it in attributes}, defaults)


def _nothing() -> Any:
    import attrs

    return attrs.NOTHING


class _AttrsShape(FieldShape):
    """Objects of an attrs class; arguments of private attributes are named without their underscore."""

    def __init__(self, cls: Any, fields: Mapping[str, Any], defaults: Mapping[str, Any]) -> None:
        super().__init__(cls, fields, defaults)
        self._arguments = {attribute.name: attribute.alias for attribute in cls.__attrs_attrs__}
        self._frozen = "__setattr__" in cls.__dict__ and cls.__setattr__.__name__ == "_frozen_setattrs"

    def make(self, values: Mapping[str, Any]) -> Any:
        """Make a new object by calling the class."""
        return self.cls(**{self._arguments[name]: value for name, value in values.items()})

    def fill(self, obj: Any, values: Mapping[str, Any]) -> Any:
        """Set the fields, or make another object with them."""
        return self.make({**self.values(obj), **values}) if self._frozen else super().fill(obj, values)


class PydanticShape(FieldShape):
    """Objects of a Pydantic model: types are read by msgspec, everything else is asked of the model itself."""

    def __init__(self, cls: Any) -> None:
        fields: dict[str, Any] = {}
        defaults: dict[str, Any] = {}
        self._foreign: dict[str, Foreign] = {}
        for name, field in cls.model_fields.items():
            meta = _meta(field.metadata)
            fields[name] = field.annotation if meta is None else Annotated[field.annotation, meta]
            if is_foreign(field.annotation):
                self._foreign[name] = foreign = Foreign(field.annotation)
                fields[name] = foreign.annotation
            if field.default_factory is not None:
                defaults[name] = msgspec.field(default_factory=field.default_factory)
            elif not field.is_required() and name in self._foreign:
                defaults[name] = msgspec.field(default_factory=field.get_default)
            elif not field.is_required():
                defaults[name] = msgspec.field(default=field.default)
        super().__init__(cls, fields, defaults)

    def make(self, values: Mapping[str, Any]) -> Any:
        """Make it without asking its rules, which ``check`` does."""
        return self.cls.model_construct(**self._read(values))

    def fill(self, obj: Any, values: Mapping[str, Any]) -> Any:
        """Copy it with these fields."""
        return obj.model_copy(update=self._read(values))

    def values(self, obj: Any) -> dict[str, Any]:
        """Read the fields; those that only Pydantic knows, as data."""
        found = super().values(obj)
        return {**found, **{name: one.written(found[name]) for name, one in self._foreign.items()}}

    def _read(self, values: Mapping[str, Any]) -> dict[str, Any]:
        read = {name: one.read(values[name]) for name, one in self._foreign.items() if name in values}
        return {**values, **read}

    def copy(self, obj: Any) -> Any:
        """Copy it and all that it holds."""
        return obj.model_copy(deep=True)

    def check(self, obj: Any) -> Sequence[Fault]:
        """Let the model validate its own values."""
        try:
            self.cls.model_validate(super().values(obj), by_alias=False, by_name=True)
        except ValueError as error:
            return list(_faults(error))
        return []


def _faults(error: ValueError) -> Iterable[Fault]:
    listed = getattr(error, "errors", None)
    if not callable(listed):
        return [Fault("", str(error))]
    return [
        Fault("".join(f"/{escape(str(part))}" for part in found["loc"]), found["msg"])
        for found in listed(include_url=False, include_context=False, include_input=False)[:MAX_FAULTS]
    ]


def _meta(metadata: Iterable[Any]) -> msgspec.Meta | None:
    """Constraints that JSON Schema has words for, of the objects that Pydantic keeps them in."""
    found: dict[str, Any] = {}
    for rule in metadata:
        for name in ("gt", "ge", "lt", "le", "multiple_of", "min_length", "max_length", "pattern"):
            value = getattr(rule, name, None)
            if value is not None:
                found[name] = value
    return msgspec.Meta(**found) if found else None
