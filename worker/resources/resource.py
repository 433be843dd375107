"""A resource, resolved: its class, where it is, what can be done with it, and what keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from worker.resources.operation import Operation
from worker.resources.shape import Shape
from worker.resources.stores import Store


@dataclass(frozen=True, kw_only=True, eq=False)
class Resource:
    """A class that is exposed over HTTP.

    Attributes:
        name: as the OpenAPI document, messages and conditions name it.
        cls: of its objects.
        path: of its collection.
        identifier: name of the field that identifies an object, and of the path's parameter.
        operations: resolved: each with its absolute path, its name, and everything else filled in.
        shape: how its objects become data and back.
        store: keeps its objects; None where nothing does.
        scopes: field by the name of the scope whose values it holds.
    """

    name: str
    cls: type[Any]
    path: str
    identifier: str = "id"
    operations: tuple[Operation, ...] = ()
    shape: Shape
    store: Store | None = None
    scopes: Mapping[str, str] = field(default_factory=dict)
