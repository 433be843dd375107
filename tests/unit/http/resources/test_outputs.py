"""An output whose fields nothing can fill is an error at start; where it cannot be known, nothing is said."""

from __future__ import annotations

import dataclasses
from typing import Any

import msgspec
import pytest
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, reconstructor

from tests.unit.http.resources.memory_store import MemoryStore
from worker import App, ConfigurationError, Delete, Get, GetCollection, Hook, Patch, Post, Put
from worker.http.resources.endpoints import resource_endpoints
from worker.resources.declared import DeclaredResource
from worker.resources.resolving import resolved
from worker.settings import Settings
from worker.wiring.described import described_resources


class Book(msgspec.Struct):
    title: str
    id: int | None = None

    @property
    def shout(self) -> str:
        return self.title.upper()


class Draft(msgspec.Struct):
    title: str
    words: int = 0


class Card(msgspec.Struct):
    title: str
    shelf: str


class Loud(msgspec.Struct):
    shout: str


class Page(msgspec.Struct):
    words: int


class Receipt(msgspec.Struct):
    shelf: str
    title: str = ""


class Process:
    async def process(self, data: Any, operation: Any, uri_variables: Any, context: Any) -> Any: ...


class Provide:
    async def provide(self, operation: Any, uri_variables: Any, context: Any) -> Any: ...


def faults_of(app: App) -> tuple[str, ...]:
    registry = app.registry()
    resources = resolved(registry.entries_of(DeclaredResource), lambda declared: declared.store)
    try:
        resource_endpoints(resources, registry, "library")
    except ConfigurationError as error:
        return error.faults
    return ()


def library(*operations: Any, stored: bool = True, **options: Any) -> App:
    app = App("library")
    store = {"store": MemoryStore()} if stored else {}
    app.resource(operations=list(operations), **store, **options)(Book)
    return app


@pytest.mark.parametrize(
    "operation",
    [
        Get(output=Card),
        GetCollection(output=Card),
        Post(output=Card),
        Put(output=Card),
        Patch(output=Card),
        Post(output=Page, input=Draft),  # what is stored is the resource's
        Delete("gone", status=200, output=Card, receive=False),
    ],
)
def test_a_field_that_nothing_of_the_resource_can_fill_is_told(operation: Any) -> None:
    found = faults_of(library(operation))
    if operation.is_delete:
        assert found == ()  # it answers with nothing
        return
    (fault,) = found
    missing = "shelf" if operation.output is Card else "words"
    assert f"resource Book: {operation.method} /books" in fault
    assert f"output={operation.output.__name__} needs '{missing}', which Book does not have" in fault
    assert "a default" in fault
    assert "processor=" in fault


def test_an_operation_without_store_answers_with_its_input() -> None:
    assert faults_of(library(Post(output=Page, input=Draft), stored=False)) == ()
    (fault,) = faults_of(library(Post(output=Card, input=Draft), stored=False))
    assert "'shelf', which Draft does not have" in fault


@pytest.mark.parametrize(
    "operation",
    [
        Post(output=Loud),
        Post(output=Card, processor=Process),
        Get(output=Card, provider=Provide),
        Put(output=Card, provider=Provide),
        Post(output=Card, serialize=False),
        Post(output=Card, respond=False),
        Post(output=Card, input=False),
        Get(output=Card, read=False),
    ],
)
def test_what_may_be_filled_or_is_never_written_is_left(operation: Any) -> None:
    assert faults_of(library(operation)) == ()


def test_processors_providers_and_listeners_may_answer_with_anything() -> None:
    app = library(Post(output=Card))
    app.processor(supports=lambda data, operation: True)(Process)
    assert faults_of(app) == ()
    app = library(Get(output=Card))
    app.provider(supports=lambda operation: True)(Provide)
    assert faults_of(app) == ()
    app = library(Post(output=Card), Get(output=Card))

    @app.listener(Hook.POST_WRITE, when={"method": "POST"})
    async def listen(event: Any) -> None: ...

    @app.listener(Hook.POST_RESPOND)
    async def too_late(event: Any) -> None: ...

    (fault,) = faults_of(app)
    assert "GET /books/{id}" in fault


def test_what_a_handler_answers_counts_where_its_class_is_known() -> None:
    def with_handler(handler: Any, **options: Any) -> tuple[str, ...]:
        app = library(Post(output=Card, messenger=True, **options), stored=False)
        app.handler(handler)
        return faults_of(app)

    async def keeps(book: Book) -> None: ...
    async def receipts(book: Book) -> Receipt | None: ...
    async def loud(book: Book) -> Loud: ...
    async def whatever(book: Book): ...
    async def mapping(book: Book) -> dict[str, str]: ...

    (fault,) = with_handler(keeps)
    assert "'shelf', which Book does not have" in fault
    (fault,) = with_handler(loud)
    assert "'shelf', which Book or Loud does not have" in fault
    assert with_handler(receipts) == with_handler(whatever) == with_handler(mapping) == ()


def test_a_middleware_may_change_what_a_handler_answers() -> None:
    app = library(Post(output=Card, messenger=True), stored=False)

    @app.handler
    async def keeps(book: Book) -> None: ...

    @app.middleware
    async def other(envelope: Any, call_next: Any) -> Any:
        return await call_next(envelope)

    assert faults_of(app) == ()


def test_objects_that_can_take_any_attribute_are_not_judged_once_code_has_them() -> None:
    @dataclasses.dataclass
    class Order:
        title: str

    app = App("library")
    app.resource(operations=[Post(output=Card, messenger=True), Post("plain", output=Card)])(Order)

    @app.handler
    async def handle(order: Order) -> None: ...

    handle.__annotations__["order"] = Order
    (fault,) = faults_of(app)
    assert "POST /orders/plain" in fault

    @dataclasses.dataclass
    class Made:
        title: str

        def __post_init__(self) -> None:
            self.shelf = "A"

    app = App("library")
    app.resource(operations=[Post(output=Card)])(Made)
    assert faults_of(app) == ()


def test_mapped_classes_are_judged_by_their_attributes() -> None:
    class Base(DeclarativeBase): ...

    class Row(Base):
        __tablename__ = "rows"
        id: Mapped[int] = mapped_column(primary_key=True)
        title: Mapped[str]

    class Filled(Base):
        __tablename__ = "filled"
        id: Mapped[int] = mapped_column(primary_key=True)
        title: Mapped[str]

        @reconstructor
        def place(self) -> None:
            self.shelf = "A"

    class Initial(Base):
        __tablename__ = "initials"
        id: Mapped[int] = mapped_column(primary_key=True)
        title: Mapped[str]

        def __init__(self, **values: Any) -> None:
            super().__init__(**values)
            self.shelf = "A"

    app = App("library")
    for cls in (Row, Filled, Initial):
        app.resource(operations=[Post(output=Card), Get(output=Draft)])(cls)
    registry = app.registry()
    with pytest.raises(ConfigurationError) as told:
        resource_endpoints(described_resources(registry, Settings()), registry, "library")
    (fault,) = told.value.faults
    assert "resource Row: POST /rows: output=Card needs 'shelf', which Row does not have" in fault
