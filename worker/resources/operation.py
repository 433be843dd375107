"""Operations: the methods over which a resource is exposed, as an application writes them and as they are resolved."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, MISSING, Field, dataclass, field, fields
from typing import Any, ClassVar, Literal

Flag = bool | None
"""Switches something on or off; None: as the resource says, then as the method does."""
FilterKind = Literal["exact", "partial", "range"]


@dataclass(frozen=True, eq=False, repr=False)
class Operation:
    """What all operations have. What is None comes from the resource, then from the method.

    Attributes:
        path: absolute where it starts with ``/``, else appended to the resource's; the method's unless given.
        name: as conditions, links and the OpenAPI document name it.
        status: of the answer where all went well.
        messenger: ``True`` dispatches the object on the command bus, ``"input"`` the input's.
        input: the body is read into this class; False: no body is read.
        output: the answer is made of the result's fields of the same names; False: it has no body.
        processor: what changes the stored state: a class, or a declared one's name.
        provider: what reads it, likewise.
        security: ``(principal, object, request) -> bool``, plain or async, asked before the body is read.
        security_after: the same, asked when the body was read into the object.
        errors: status by class of what a processor or an inline handler raises.
        timeout: seconds that its requests may take; what runs longer is cancelled. None for no limit.
        parameters: query parameters by name, each an annotation such as ``Annotated[int, Meta(ge=1)]``.
        query_parameter_validate: whether query parameters are validated.
        read: whether the object is read.
        deserialize: whether the body is read into an object.
        validate: whether the object's constraints are asked.
        write: whether a processor is called.
        serialize: whether the result is written.
        receive: False leaves out read, deserialize and validate.
        respond: False leaves out serialize and respond.
        persist: False leaves out write.
        listeners: False leaves out the application's listeners and steps.
        allow_create: whether a PUT of an unknown id creates it.
    """

    method: ClassVar[str] = ""
    action: ClassVar[str] = ""
    of_item: ClassVar[bool] = True
    """Whether its path ends with the identifier unless another one is given."""

    path: str | None = None
    _: KW_ONLY
    name: str | None = None
    status: int | None = None
    messenger: bool | Literal["input"] | None = None
    input: type[Any] | Literal[False] | None = None
    output: type[Any] | Literal[False] | None = None
    processor: type[Any] | str | None = None
    provider: type[Any] | str | None = None
    security: Callable[[Any, Any, Any], object] | None = None
    security_after: Callable[[Any, Any, Any], object] | None = None
    errors: Mapping[type[BaseException], int] | None = None
    timeout: float | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    query_parameter_validate: Flag = None
    read: Flag = None
    deserialize: Flag = None
    validate: Flag = None
    write: Flag = None
    serialize: Flag = None
    receive: Flag = None
    respond: Flag = None
    persist: Flag = None
    listeners: Flag = None
    allow_create: Flag = None

    def __repr__(self) -> str:
        """Show it as it was written: what has its default is left out."""
        given = {
            field.name: getattr(self, field.name) for field in fields(self) if not _is_default(self, field)
        }
        path = [repr(self.path)] if given.pop("path", None) is not None else []
        shown = (f"{name}={value!r}" for name, value in given.items())
        return f"{type(self).__name__}({', '.join([*path, *shown])})"

    @property
    def is_delete(self) -> bool:
        """Whether it removes the object."""
        return self.method == "DELETE"

    @property
    def is_collection(self) -> bool:
        """Whether it answers with a page of objects."""
        return self.action == "get_list"

    @property
    def is_safe(self) -> bool:
        """Whether it changes nothing."""
        return self.method == "GET"

    @property
    def stores(self) -> bool:
        """Whether it may change what is stored: a processor does, while what is only dispatched is left as it is."""
        return not self.is_safe and (self.processor is not None or not self.messenger)

    @property
    def reads_body(self) -> bool:
        """Whether its requests have a body, as far as the method says."""
        return self.method in {"POST", "PUT", "PATCH"}


def _is_default(operation: Operation, field: Field[Any]) -> bool:
    default = field.default if field.default_factory is MISSING else field.default_factory()
    return bool(getattr(operation, field.name) == default)


@dataclass(frozen=True, eq=False, repr=False)
class Post(Operation):
    """``POST`` to the collection: makes a new object."""

    method = "POST"
    action = "create"
    of_item = False


@dataclass(frozen=True, eq=False, repr=False)
class Get(Operation):
    """``GET`` of one object."""

    method = "GET"
    action = "get"


@dataclass(frozen=True, eq=False, repr=False)
class GetCollection(Operation):
    """``GET`` of the collection, a page at a time.

    Attributes:
        filters: how the collection is narrowed by the query parameter of a field's name: ``exact``; ``partial``:
            contains, whatever the case; ``range``: ``field[gt]``, ``gte``, ``lt``, ``lte``.
        order: fields by which it may be ordered; the identifier where there are none.
        page_size: objects of a page unless ``limit`` says otherwise.
        max_page_size: the most that ``limit`` may say.
    """

    method = "GET"
    action = "get_list"
    of_item = False

    _: KW_ONLY
    filters: Mapping[str, FilterKind] = field(default_factory=dict)
    order: tuple[str, ...] = ()
    page_size: int = 30
    max_page_size: int = 100


@dataclass(frozen=True, eq=False, repr=False)
class Put(Operation):
    """``PUT`` of one object: replaces it."""

    method = "PUT"
    action = "replace"


@dataclass(frozen=True, eq=False, repr=False)
class Patch(Operation):
    """``PATCH`` of one object: changes the fields that the body has."""

    method = "PATCH"
    action = "update"


@dataclass(frozen=True, eq=False, repr=False)
class Delete(Operation):
    """``DELETE`` of one object: removes it."""

    method = "DELETE"
    action = "delete"


ALL: tuple[type[Operation], ...] = (Post, Get, GetCollection, Put, Patch, Delete)
"""What a resource has unless it lists its own."""
