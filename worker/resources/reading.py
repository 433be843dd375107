"""Reading: the bodies of an operation become objects; every fault of a body is told at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, Union

import msgspec

from worker.errors import Fault, InvalidMessage, Malformed
from worker.messaging.declaration import Extra, MessageType
from worker.messaging.faults import escape
from worker.messaging.validation import ContentType, decode, decode_data, reader
from worker.resources.depth import MOST, is_shallow, is_too_deep
from worker.resources.identifiers import stated
from worker.resources.loosening import is_constrained, loosened
from worker.resources.merge_patch import merged
from worker.resources.operation import Operation
from worker.resources.resource import Resource
from worker.resources.shape import Shape, Unsettable
from worker.texts import message_of

Variables = Mapping[str, Any]


class Bodies:
    """Reads the bodies of one operation.

    Args:
        resource: that it is of.
        operation: resolved.
        shape: of the class that bodies are read into: the resource's, or that of the operation's ``input``.
        whole: whether constraints are asked as a body is read, and not by themselves later.
        extra: what is done with members that the class does not have.

    Attributes:
        whole: whether they are; only where a class is read without any detour.
        extra: as given.
        struct: what a body holds, for the documentation.
    """

    def __init__(
        self, resource: Resource, operation: Operation, shape: Shape, *, whole: bool, extra: Extra = "forbid"
    ) -> None:
        self._resource = resource
        self._shape = shape
        self._own = shape is resource.shape
        self._validates = operation.validate is not False
        self.extra = extra
        self._links = _variables(operation.path or "") & shape.fields.keys() if self._own else set()
        mode: Literal["new", "whole", "part"] = "new"
        if self._own and operation.method in {"PUT", "PATCH"}:
            mode = "whole" if operation.method == "PUT" else "part"
        self._mode = mode
        fixed = self._links | ({resource.identifier} if self._own and mode != "new" else set())
        fields = dict(shape.fields)
        required = set() if mode == "part" else set(shape.required) - fixed
        self._fixed = fixed
        self._names = _wire_names(shape)
        self.struct = _struct(shape, fields, required)
        loose = _struct(shape, {name: loosened(hint) for name, hint in fields.items()}, required)
        self._strict = MessageType(name=resource.name, cls=self.struct, kind="command", extra=extra)
        self._loose = MessageType(name=resource.name, cls=loose, kind="command", extra=extra)
        cls: Any = getattr(shape, "cls", None)
        direct = (
            mode == "new"
            and not fixed
            and cls is not None
            and shape.struct is cls
            and required == {one.name for one in msgspec.structs.fields(cls) if one.required}
        )
        self.whole = whole and direct and self._validates
        straight = direct and (self.whole or not is_constrained(fields))
        self._straight = (
            MessageType(name=resource.name, cls=cls, kind="command", extra=extra) if straight else None
        )
        self._shallow = straight and extra == "forbid" and is_shallow(cls)
        self._read: Callable[[bytes], Any] = reader(self._straight or self._loose)

    def read(self, body: bytes, content_type: ContentType, base: Any, variables: Variables) -> Any:
        """Read a body into an object.

        Args:
            body: as it came.
            content_type: of it.
            base: the object that it replaces or changes; None where it makes a new one.
            variables: of the path; those that are fields are the object's.

        Raises:
            Malformed: it is no JSON or MessagePack, or nested too deeply.
            InvalidMessage: it does not fit; carries every fault.
            NotFound: the path names what cannot be.
        """
        if not self._shallow:
            _check_depth(body, content_type)
        if self._straight is not None:
            try:
                return (
                    self._read(body)
                    if content_type == "json"
                    else decode(self._straight, body, content_type=content_type)
                )
            except (InvalidMessage, Malformed):
                if self._shallow:
                    _check_depth(body, content_type)
                raise
        if self._mode == "part":
            try:
                values = self._changes(body, content_type, base)
            except RecursionError:
                raise Malformed("nested too deeply") from None
        else:
            values = self._values(self._loosely(body, content_type))
        return self._object(values, base, variables)

    def _loosely(self, body: bytes, content_type: ContentType) -> Any:
        try:
            return (
                self._read(body)
                if content_type == "json"
                else decode(self._loose, body, content_type=content_type)
            )
        except InvalidMessage as error:
            if not self._validates:
                raise
            # tell what breaks constraints, too
            decode(self._strict, body, content_type=content_type)
            raise error from None

    def _values(self, read: Any) -> dict[str, Any]:
        found = {name: getattr(read, name) for name in self._shape.fields}
        return {name: value for name, value in found.items() if value is not msgspec.UNSET}

    def _changes(self, body: bytes, content_type: ContentType, base: Any) -> dict[str, Any]:
        """Read a merge patch: the fields that it changes, merged with what they hold."""
        data = decode(_ANYTHING, body, content_type=content_type)
        if not isinstance(data, Mapping):
            raise InvalidMessage(self._resource.name, [Fault("", "expected an object")])
        held = {} if base is None else self._shape.values(base)
        faults: list[Fault] = []
        changed: dict[str, Any] = {}
        removed: dict[str, Any] = {}
        for wire, value in data.items():
            name = self._names.get(wire, "")
            if value is None and name and not _takes_none(self._shape.fields[name]):
                self._remove(name, str(wire), removed, faults)
            elif isinstance(value, Mapping) and name in held:
                changed[wire] = merged(msgspec.to_builtins(held[name], str_keys=True), value)
            else:
                changed[wire] = value
        try:
            read = decode_data(self._loose, changed)
        except InvalidMessage as error:
            raise InvalidMessage(self._resource.name, [*faults, *error.faults]) from None
        if faults:
            raise InvalidMessage(self._resource.name, faults)
        return {**self._values(read), **removed}

    def _remove(self, name: str, wire: str, removed: dict[str, Any], faults: list[Fault]) -> None:
        """A member that is removed has its default again, where it has one."""
        if name in self._fixed:
            removed[name] = None  # told with what else differs from the path
            return
        default = self._shape.absent(name)
        if default is not msgspec.NODEFAULT:
            removed[name] = default
        else:
            faults.append(Fault(f"/{escape(wire)}", "cannot be removed, and is not null"))

    def _object(self, values: dict[str, Any], base: Any, variables: Variables) -> Any:
        try:
            if not self._own:
                return self._shape.make(values)
            fixed = self._stated(variables) if base is None else self._shape.values(base)
            fixed = {name: value for name, value in fixed.items() if name in self._fixed}
            self._check_fixed(values, fixed)
            if base is None:
                return self._shape.make({**values, **fixed})
            free = {name: value for name, value in values.items() if name not in self._fixed}
            if self._mode == "part":
                return self._shape.fill(base, free)
            return self._shape.replace(base, {**free, **fixed})
        except Unsettable as error:
            fault = Fault(f"/{escape(error.field)}", error.text)
            raise InvalidMessage(self._resource.name, [fault]) from error
        except (ValueError, TypeError) as error:
            raise InvalidMessage(
                self._resource.name, [Fault("", message_of(error) or "does not fit")]
            ) from error

    def _stated(self, variables: Variables) -> dict[str, Any]:
        found = stated(self._resource, variables)
        return {name: value for name, value in found.items() if self._mode != "new" or name in self._links}

    def _check_fixed(self, values: Mapping[str, Any], fixed: Mapping[str, Any]) -> None:
        """Refuse a body that says something else than its path: it would have no effect.

        Raises:
            InvalidMessage: it does.
        """
        faults = [
            Fault(f"/{escape(wire)}", f"is {_shown(fixed[name])} here, and stays so; leave it out")
            for wire, name in self._names.items()
            if name in fixed and name in values and values[name] != fixed[name]
        ]
        if faults:
            raise InvalidMessage(self._resource.name, faults)


def _shown(value: Any) -> str:
    return msgspec.json.encode(value).decode()


_ANYTHING: Any = MessageType(name="body", cls=Any, kind="command", extra="ignore")
_VARIABLE = re.compile(r"\{(\w+)")


def _check_depth(body: bytes, content_type: ContentType) -> None:
    if is_too_deep(body, content_type):
        raise Malformed(f"nested too deeply: it has more than {MOST} levels")


def _variables(path: str) -> set[str]:
    return set(_VARIABLE.findall(path))


def _wire_names(shape: Shape) -> dict[str, str]:
    """Name of each field by how it is written."""
    struct = shape.struct
    return dict(zip(struct.__struct_encode_fields__, struct.__struct_fields__, strict=True))


def _takes_none(hint: Any) -> bool:
    try:
        msgspec.convert(None, loosened(hint))
    except msgspec.ValidationError:
        return False
    return True


def _struct(shape: Shape, fields: Mapping[str, Any], required: Iterable[str]) -> type[msgspec.Struct]:
    """Make a Struct in which fields that are not required may be left unset, named as the shape's are."""
    needed = frozenset(required)
    config = shape.struct.__struct_config__
    listed: list[Any] = [
        (name, hint) if name in needed else (name, Union[hint, msgspec.UnsetType], msgspec.UNSET)  # noqa: UP007
        for name, hint in fields.items()
    ]
    wire = {name: written for written, name in _wire_names(shape).items()}
    return msgspec.defstruct(
        shape.struct.__name__,
        listed,
        kw_only=True,
        rename={name: wire[name] for name in fields},
        tag_field=config.tag_field,
        tag=config.tag,
    )
