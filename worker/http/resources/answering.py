"""What an operation answers with: the values of its result, and where that is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from worker.http.resources.hydra import Search
from worker.http.resources.links import path_of, written
from worker.http.resources.parameters import Asked, Parameters
from worker.http.resources.representing import Member, Representation, many, one, plain
from worker.resources.class_shapes import class_shape
from worker.resources.event import RequestEvent
from worker.resources.operation import Operation
from worker.resources.resource import Resource
from worker.resources.shape import Shape
from worker.resources.stores import Page


class Answers:
    """Writes the results of one operation.

    Args:
        resource: of the operation.
        operation: resolved.
    """

    def __init__(self, resource: Resource, operation: Operation) -> None:
        self._resource = resource
        self._shape = resource.shape
        self._direct = resource.shape.struct is resource.cls
        self._output: Shape | None = None
        if isinstance(operation.output, type) and operation.output is not resource.cls:
            self._output = class_shape(operation.output)
        self._as_it_is = resource.cls if self._direct and self._output is None else None
        self._others: dict[type[Any], Shape | None] = {}
        self._path_of = path_of(resource)
        self._parameters = Parameters(resource, operation) if operation.is_collection else None
        self._search = (
            None if self._parameters is None else Search(self._parameters.described, self._parameters.fields)
        )

    def written(self, result: Any, event: RequestEvent) -> Representation:
        """Write a result in the format of the request."""
        format = event.format
        if self._parameters is None:
            values = result if type(result) is self._as_it_is else self.values(result)
            if format != "json_ld":
                return plain(values, format)
            return one(values, format, self._resource.name, self.path(result, event.uri_variables))
        page = result if isinstance(result, Page) else _page(result)
        asked: Asked = event.asked or Asked({}, None, (), [])
        linked = format == "json_ld"
        members = [
            Member(self.values(item), self.path(item, event.uri_variables) if linked else None)
            for item in page.items
        ]
        scope = event.scope
        return many(
            members,
            format,
            self._resource.name,
            path=written(scope["path"]) if linked else scope["path"],
            query=asked.said,
            total=page.total,
            cursor=self._parameters.next_of(asked, page),
            search=self._search,
        )

    def path(self, obj: Any, variables: Mapping[str, Any]) -> str | None:
        """Say where an object is; None where it has no place of its own."""
        identifier = self._resource.identifier
        value = obj.get(identifier) if isinstance(obj, Mapping) else getattr(obj, identifier, None)
        return None if value is None else self._path_of(value, variables)

    def values(self, obj: Any) -> Any:
        """Return what msgspec writes for an object."""
        if self._output is not None:
            return self._as_output(self._output, obj)
        if isinstance(obj, self._resource.cls):
            return obj if self._direct else _struct(self._shape, obj)
        shape = self._shape_of(type(obj))
        return obj if shape is None else _struct(shape, obj)

    def _as_output(self, output: Shape, obj: Any) -> Any:
        """The output's fields of the same names."""
        cls: Any = getattr(output, "cls", output.struct)
        if obj is None or isinstance(obj, cls):
            return obj if obj is None or output.struct is cls else _struct(output, obj)
        held = obj if isinstance(obj, Mapping) else _Attributes(obj)
        values = {name: held[name] for name in output.fields if name in held}
        missing = output.required - values.keys()
        if missing:
            names = ", ".join(sorted(missing))
            raise TypeError(f"output {cls.__name__}: {type(obj).__name__} has no {names}")
        return output.struct(**values)

    def _shape_of(self, cls: type[Any]) -> Shape | None:
        """The shape of a class that msgspec cannot write by itself."""
        if cls.__module__ == "builtins" or issubclass(cls, msgspec.Struct):
            return None
        if cls not in self._others:
            self._others[cls] = class_shape(cls)
        return self._others[cls]


class _Attributes:
    """An object's attributes, asked like a mapping."""

    def __init__(self, obj: Any) -> None:
        self._obj = obj

    def __contains__(self, name: str) -> bool:
        return hasattr(self._obj, name)

    def __getitem__(self, name: str) -> Any:
        return getattr(self._obj, name)


def _struct(shape: Shape, obj: Any) -> Any:
    struct: Any = shape.struct
    return struct(**shape.values(obj))


def _page(result: Any) -> Page:
    items: Sequence[Any] = [] if result is None else list(result)
    return Page(list(items), len(items))
