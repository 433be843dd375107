"""Resolving: a declared resource gets its store and its shape, and what names fields is checked against them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from worker.errors import ConfigurationError
from worker.messaging.declaring.functions import name_of
from worker.resources.class_shapes import class_shape
from worker.resources.declared import DeclaredResource
from worker.resources.operation import GetCollection, Operation
from worker.resources.resource import Resource
from worker.resources.shape import Shape
from worker.resources.stores import Store
from worker.suggestion import hint
from worker.tokens.scopes import container_of

StoreOf = Callable[[DeclaredResource], Store | None]
"""Gives the store of a resource; raises ConfigurationError where there can be none."""

_VARIABLE = re.compile(r"\{(\w+)\}")


def resolved(declared: Iterable[DeclaredResource], store_of: StoreOf) -> tuple[Resource, ...]:
    """Resolve all resources.

    Raises:
        ConfigurationError: with every fault found.
    """
    found: list[Resource] = []
    faults: list[str] = []
    for one in declared:
        where = f"resource {name_of(one.cls)}"
        try:
            store = store_of(one)
            shape = class_shape(one.cls) if store is None else store.shape(one.cls, one.identifier)
        except ConfigurationError as error:
            faults.extend(f"{where}: {fault.removeprefix(f'{where}: ')}" for fault in error.faults)
            continue
        if shape is None:
            faults.append(f"{where}: its class is mapped, and nothing stores it here")
            continue
        faults.extend(f"{where}: {fault}" for fault in _field_faults(one, shape, store))
        found.append(
            Resource(
                name=one.name,
                cls=one.cls,
                path=one.path,
                identifier=one.identifier,
                operations=one.operations,
                shape=shape,
                store=store,
                scopes=one.scopes,
            )
        )
    if faults:
        raise ConfigurationError(faults)
    return tuple(found)


def _field_faults(declared: DeclaredResource, shape: Shape, store: Store | None) -> Iterator[str]:
    fields = shape.fields
    named = any(declared.identifier in _VARIABLE.findall(str(one.path)) for one in declared.operations)
    if declared.identifier not in fields and (store is not None or named):
        yield f"identifier={declared.identifier!r} is no field of {declared.cls.__name__}{hint(declared.identifier, fields)}"
    for scope, field in declared.scopes.items():
        try:
            container_of(shape.struct, field)
        except TypeError as error:
            yield f"scopes={{{scope!r}: {field!r}}}: {error}"
    for operation in declared.operations:
        where = f"{type(operation).__name__} {operation.path}"
        yield from (f"{where}: {fault}" for fault in _operation_faults(declared, operation, shape))


def _operation_faults(declared: DeclaredResource, operation: Operation, shape: Shape) -> Iterator[str]:
    for option in ("input", "output"):
        cls = getattr(operation, option)
        if isinstance(cls, type) and cls is not declared.cls and class_shape(cls) is None:
            yield f"{option}={cls.__name__}: is mapped; expected the resource's own class, or one of plain fields"
    if isinstance(operation.input, type) and (read := class_shape(operation.input)) is not None:
        for scope, field in declared.scopes.items() if operation.input is not declared.cls else ():
            try:
                if field in read.fields:
                    container_of(read.struct, field)
            except TypeError as error:
                yield f"input={operation.input.__name__}: scopes={{{scope!r}: {field!r}}}: {error}"
    if isinstance(operation, GetCollection):
        for option, names in (("filters", operation.filters), ("order", operation.order)):
            yield from (
                f"{option}: {name!r} is no field of it{hint(name, shape.fields)}"
                for name in names
                if name not in shape.fields
            )
