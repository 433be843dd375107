"""Processors and providers: which one is called, with what, and what becomes of its result."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.unit.http.resources.memory_store import MemoryStore
from tests.unit.http.resources.serving import served
from worker import App, ConfigurationError, Delete, Get, GetCollection, Post, Put
from worker.resources import Page, PersistProcessor, Provider, RemoveProcessor


class User(msgspec.Struct):
    name: str
    id: int | None = None


def users(*operations: Any, stored: bool = True, **options: Any) -> tuple[App, MemoryStore]:
    app, store = App("people"), MemoryStore()
    app.resource(store=store if stored else None, operations=list(operations) or None, **options)(User)
    store.rows = {7: User("Ada", 7)}
    return app, store


async def test_a_processor_composes_the_built_in_ones() -> None:
    """The seed's example: a mail after persisting, none after removing."""
    app, store = users(processor="UserProcessor")
    mails: list[str] = []

    @app.processor
    class UserProcessor:
        def __init__(
            self, persist: PersistProcessor, remove: RemoveProcessor, greeting: str = "Hello"
        ) -> None:
            self.persist, self.remove, self.greeting = persist, remove, greeting

        async def process(self, data: Any, operation: Any, uri_variables: Any, context: Any) -> Any:
            if operation.is_delete:
                return await self.remove.process(data, operation, uri_variables, context)
            result = await self.persist.process(data, operation, uri_variables, context)
            mails.append(f"{self.greeting} {result.name} {result.id}")
            return result

    async with served(app) as it:
        assert (await it.http.post("/users", json={"name": "Bob"})).json() == {"name": "Bob", "id": 1}
        assert (await it.http.delete("/users/1")).status_code == 204
    assert mails == ["Hello Bob 1"]
    assert store.rows.keys() == {7}


async def test_a_plain_processor_that_raises_stop_iteration_is_a_failure() -> None:
    """No future takes that error: the request would never be answered."""
    app, _ = users(processor="Ending")

    @app.processor
    class Ending:
        def process(self, data: Any, operation: Any, uri_variables: Any, context: Any) -> Any:
            raise StopIteration

    async with served(app) as it:
        answer = await asyncio.wait_for(it.http.post("/users", json={"name": "Bob"}), 30)
    assert answer.status_code == 500


async def test_what_a_processor_is_told() -> None:
    told: dict[str, Any] = {}

    class Tell:
        def process(self, data: Any, operation: Any, uri_variables: Any, context: Any) -> None:
            told.update(context, data=data, operation=operation, variables=uri_variables)

    app, store = users(Put(processor=Tell, name="rename"))
    async with served(app) as it:
        answer = await it.http.put("/users/7", json={"name": "Bob"})
    assert answer.json() == {"name": "Bob", "id": 7}  # None keeps data
    assert store.rows[7].name == "Ada"
    assert (told["operation"].name, told["operation"].method, told["operation"].is_delete) == (
        "rename",
        "PUT",
        False,
    )
    assert told["variables"] == told["uri_variables"] == {"id": "7"}
    assert told["resource_class"] is User
    assert told["previous_data"] == User("Ada", 7)
    assert told["data"] == User("Bob", 7)
    assert told["session"] is None
    assert told["request"].method == "PUT"


async def test_the_operations_own_goes_before_the_resources() -> None:
    called: list[str] = []

    def named(name: str) -> type[Any]:
        class Note:
            async def process(self, data: Any, operation: Any, uri_variables: Any, context: Any) -> None:
                called.append(name)

        return Note

    app, _ = users(Post(processor=named("operation")), Put(), processor=named("resource"))
    async with served(app) as it:
        await it.http.post("/users", json={"name": "x"})
        await it.http.put("/users/7", json={"name": "x"})
    assert called == ["operation", "resource"]


async def test_the_first_that_supports_the_data_by_priority_and_on_after_resumable_ones() -> None:
    app, store = users()
    called: list[str] = []

    def declare(name: str, **options: Any) -> None:
        class Note:
            async def process(self, data: Any, operation: Any, uri_variables: Any, context: Any) -> Any:
                called.append(name)
                return User(f"{data.name}-{name}", data.id)

        app.processor(name=name, **options)(Note)

    declare("never", supports=lambda data, operation: False, priority=99)
    declare("low", supports=lambda data, operation: operation.method == "PUT", priority=-1)
    declare("high", supports=lambda data, operation: True, priority=5, resumable=True)
    async with served(app) as it:
        posted = await it.http.post("/users", json={"name": "x"})
        put = await it.http.put("/users/7", json={"name": "x"})
    assert posted.json() == {"name": "x-high", "id": 1}
    assert store.rows[1].name == "x-high"  # the store's comes last
    assert put.json()["name"] == "x-high-low"
    assert store.rows[7].name == "Ada"  # and is not reached
    assert called == ["high", "high", "low"]


async def test_without_any_the_object_is_answered_unchanged() -> None:
    app, _ = users(Post(), stored=False)
    async with served(app) as it:
        answer = await it.http.post("/users", json={"name": "x"})
    assert (answer.status_code, answer.json()) == (201, {"name": "x", "id": None})


async def test_a_provider_gives_objects_lists_and_pages() -> None:
    app, _ = users(Get(), GetCollection(), GetCollection("page", provider="Pages"), provider="People")

    @app.provider
    class People:
        def __init__(self, stored: Provider) -> None:
            self.stored = stored

        async def provide(self, operation: Any, uri_variables: Any, context: Any) -> Any:
            if operation.is_collection:
                return [User("one", 1), User("two", 2)]
            found = await self.stored.provide(operation, uri_variables, context)
            return None if found is None else User(found.name.upper(), found.id)

    @app.provider
    class Pages:
        def provide(self, operation: Any, uri_variables: Any, context: Any) -> Any:
            return Page([User(str(context["wanted"].limit))], 40)

    async with served(app) as it:
        assert (await it.http.get("/users/7")).json()["name"] == "ADA"
        assert (await it.http.get("/users/8")).status_code == 404
        assert (await it.http.get("/users")).json()["total"] == 2
        assert (await it.http.get("/users/page", params={"limit": 3})).json() == {
            "items": [{"name": "3", "id": None}],
            "total": 40,
            "next": None,
        }


async def test_an_input_becomes_an_object_of_the_resource_by_names() -> None:
    class Named(msgspec.Struct):
        name: str

    app, store = users(Post(input=Named), Put(input=Named))
    async with served(app) as it:
        posted = await it.http.post("/users", json={"name": "x"})
        put = await it.http.put("/users/7", json={"name": "y"})
    assert posted.json() == {"name": "x", "id": 1}
    assert put.json() == {"name": "y", "id": 7}
    assert store.rows == {1: User("x", 1), 7: User("y", 7)}


async def test_an_operation_without_body_and_without_answer() -> None:
    ran: list[Any] = []

    class Publish:
        async def process(self, data: Any, operation: Any, uri_variables: Any, context: Any) -> None:
            ran.append((data, uri_variables))

    app, _ = users(Post("{id}/publish", input=False, output=False, read=True, processor=Publish), Delete())
    async with served(app) as it:
        answer = await it.http.post("/users/7/publish")
        missing = await it.http.post("/users/8/publish")
    assert (answer.status_code, answer.content) == (204, b"")
    assert ran[0] == (User("Ada", 7), {"id": "7"})
    assert missing.status_code == 404


@pytest.mark.parametrize("checked", [True, False])
async def test_declared_parameters_are_told_also_where_they_are_not_checked(checked: bool) -> None:
    told: list[Any] = []

    class Tell:
        async def process(self, data: Any, operation: Any, uri_variables: Any, context: Any) -> None:
            told.append(context["parameters"])

    app, _ = users(
        Post(processor=Tell, parameters={"notify": bool}, query_parameter_validate=checked), stored=False
    )
    async with served(app) as it:
        assert (await it.http.post("/users?notify=true", json={"name": "x"})).status_code == 201
        wrong = await it.http.post("/users?notify=7&x=1", json={"name": "x"})
    assert wrong.status_code == (422 if checked else 201)
    assert told == [{"notify": True}] + ([] if checked else [{}])


async def test_a_provider_whose_supports_raises_or_has_to_be_awaited_refuses_the_start() -> None:
    app, _ = users()

    @app.provider(supports=lambda operation: operation.nmae == "x")
    class Reading:
        async def provide(self, operation: Any, uri_variables: Any, context: Any) -> Any: ...

    with pytest.raises(
        ConfigurationError, match="resource User: provider 'Reading': its supports failed: Attr"
    ):
        async with served(app):
            pass

    async def later(operation: Any) -> bool:
        return True

    app, _ = users()
    app.provider(supports=later)(Reading)
    with pytest.raises(
        ConfigurationError, match=r"provider 'Reading' .*supports=.*is asked once, at the start"
    ):
        app.registry()


async def test_processors_and_providers_that_cannot_be_made_refuse_the_start_all_at_once() -> None:
    app, _ = users(Post(processor="Mailing"), Put(), Get(provider="Reading"), processor="Mailing")

    @app.processor
    class Mailing:
        def __init__(self, persist: PersistProcessor) -> None:
            self.server = {"port": 25}["server"]

        async def process(self, data: Any, operation: Any, uri_variables: Any, context: Any) -> Any: ...

    @app.provider
    class Reading:
        def __init__(self) -> None:
            raise SystemExit("no index")

        async def provide(self, operation: Any, uri_variables: Any, context: Any) -> Any: ...

    with pytest.raises(ConfigurationError) as told:
        async with served(app):
            pass
    mailing, reading = told.value.faults
    file = Path(__file__).name
    assert mailing.startswith("resource User: ")
    assert f"{Mailing.__module__}.{Mailing.__qualname__} ({file}, line " in mailing
    assert "its constructor failed: KeyError: 'server'" in mailing
    assert "no index" in reading
    assert "Reading" in reading
