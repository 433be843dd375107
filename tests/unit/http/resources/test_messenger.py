"""Resources that are dispatched: queued and inline, what replaces the object, what travels with the message, and errors."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import pydantic
import pytest
from msgspec import Meta
from starlette.responses import PlainTextResponse

from tests.unit.http.resources.memory_store import MemoryStore
from tests.unit.http.resources.serving import served
from worker import App, Delete, Get, Patch, Post, Put, Remove, Requested
from worker.resources import MessengerProcessor


class Reset(msgspec.Struct, frozen=True):
    username: Annotated[str, Meta(min_length=1)]


class Book(msgspec.Struct):
    title: str
    id: int | None = None


def resets(*, inline: bool = False, **options: Any) -> App:
    app = App("shop")
    app.resource(path="/password-resets", messenger=True, **options)(Reset)
    if inline:
        app.command(transport="inline")(Reset)
    return app


async def test_a_queued_object_is_answered_before_it_is_handled() -> None:
    """The seed's first example."""
    app = resets(operations=[Post(status=202, output=False)])
    handled: list[str] = []

    @app.handler
    async def reset(request: Reset) -> None:
        handled.append(request.username)

    async with served(app) as it:
        answer = await it.http.post("/password-resets", json={"username": "ada"})
        assert (answer.status_code, answer.content) == (202, b"")
        assert "location" not in answer.headers
        assert handled == []
        link = answer.headers.get_list("link")[0]
        id = link.split("/")[2].split(">")[0]
        assert link == f'</commands/{id}>; rel="status"'
        await it.worker.run_until_idle()
        assert handled == ["ada"]
        assert (await it.http.get(f"/commands/{id}")).json()["status"] == "done"
        invalid = await it.http.post("/password-resets", json={"username": ""})
        assert invalid.status_code == 422
        assert len(it.worker.sent(Reset)) == 1


async def test_its_message_is_not_taken_by_name_unless_it_is_a_command_too() -> None:
    async def reset(request: Reset) -> None: ...

    app = resets(operations=[Post()])
    app.handler(reset)
    async with served(app) as it:
        answer = await it.http.post("/commands/Reset", json={"username": "x"})
        assert answer.status_code == 404
        assert answer.json()["detail"].startswith("'Reset' is sent by the calls of its resource")
        assert "/commands/Reset" not in (await it.http.get("/openapi.json")).json()["paths"]
    app = resets(operations=[Post()])
    app.handler(reset)
    app.command(name="reset.password")(Reset)
    async with served(app) as it:
        assert (await it.http.post("/commands/reset.password", json={"username": "x"})).status_code == 202


@pytest.mark.parametrize(
    ("result", "body"),
    [(None, {"username": "ada"}), ({"sent": True}, {"sent": True}), (Book("x", 3), {"title": "x", "id": 3})],
)
async def test_the_result_of_an_inline_handler_replaces_the_object(result: Any, body: Any) -> None:
    app = resets(inline=True, operations=[Post()])

    @app.handler
    async def reset(request: Reset) -> Any:
        return result

    async with served(app) as it:
        answer = await it.http.post("/password-resets", json={"username": "ada"})
    assert (answer.status_code, answer.json()) == (201, body)


async def test_a_response_of_an_inline_handler_is_answered_as_it_is() -> None:
    app = resets(inline=True, operations=[Post(output=False)])

    @app.handler
    async def reset(request: Reset) -> Any:
        return PlainTextResponse("tea", 418, headers={"x-pot": "1"})

    async with served(app) as it:
        answer = await it.http.post("/password-resets", json={"username": "ada"})
    assert (answer.status_code, answer.text, answer.headers["x-pot"]) == (418, "tea", "1")


async def test_errors_of_an_inline_handler_have_the_status_of_the_most_specific_class() -> None:
    app = resets(
        inline=True, errors={LookupError: 404, Exception: 400}, operations=[Post(errors={KeyError: 410})]
    )
    raised: list[BaseException] = []

    @app.handler
    async def reset(request: Reset) -> None:
        raise raised[0]

    async with served(app) as it:

        async def status(error: BaseException) -> tuple[int, str]:
            raised[:] = [error]
            answer = await it.http.post("/password-resets", json={"username": "ada"})
            return answer.status_code, answer.json()["detail"]

        assert await status(KeyError("gone")) == (410, "'gone'")
        assert await status(IndexError("far")) == (404, "far")
        assert await status(ValueError("no")) == (400, "no")
        invalid = await it.http.post("/password-resets", json={"username": ""})
        assert invalid.status_code == 422  # no handler raised it


async def test_an_undeclared_error_is_500_without_trace() -> None:
    app = resets(inline=True, operations=[Post()])

    @app.handler
    async def reset(request: Reset) -> None:
        raise ValueError("secret")

    async with served(app) as it:
        answer = await it.http.post("/password-resets", json={"username": "ada"})
    assert answer.status_code == 500
    assert "secret" not in answer.text


async def test_stamps_are_seen_at_dispatch_and_in_the_worker() -> None:
    app, store = App("library"), MemoryStore()
    store.rows = {7: Book("Emma", 7)}
    app.resource(messenger=True, store=store, operations=[Get(), Put(), Patch(), Delete()])(Book)
    seen: list[tuple[str, str, Any]] = []

    @app.handler
    async def handle(book: Book) -> None: ...

    def note(side: Any) -> None:
        @app.middleware(on=side, when={"remove": "exists"})
        async def removed(envelope: Any, call_next: Any) -> Any:
            assert envelope.get(Remove) is not None
            seen.append((side, "remove", envelope.message.title))
            return await call_next(envelope)

        @app.middleware(on=side, when={"requested": "exists"})
        async def requested(envelope: Any, call_next: Any) -> Any:
            asked = envelope.get(Requested)
            seen.append((side, asked.method, (asked.resource, asked.operation, asked.uri_variables)))
            return await call_next(envelope)

        removed.__qualname__, requested.__qualname__ = f"removed_{side}", f"requested_{side}"

    note("dispatch")
    note("consume")
    async with served(app) as it:
        deleted = await it.http.delete("/books/7")
        patched = await it.http.patch("/books/7", json={"title": "New"})
        read = await it.http.get("/books/7")
        await it.worker.run_until_idle()
    assert (deleted.status_code, patched.status_code, read.json()["title"]) == (204, 200, "Emma")
    assert patched.json() == {"title": "New", "id": 7}
    both = [
        ("remove", "Emma"),
        ("DELETE", ("Book", "book_delete", {"id": "7"})),
        ("PATCH", ("Book", "book_update", {"id": "7"})),
    ]
    assert sorted(one[1:] for one in seen if one[0] == "dispatch") == sorted(both)
    assert sorted(one[1:] for one in seen if one[0] == "consume") == sorted(both)
    assert store.log.count("persist") == store.log.count("remove") == 0


async def test_an_input_is_dispatched_instead_of_the_resource() -> None:
    class Order(msgspec.Struct):
        id: int | None = None
        total: int = 0

    class Place(msgspec.Struct, frozen=True):
        lines: Annotated[list[str], Meta(min_length=1)]

    app = App("shop")
    app.resource(messenger="input", input=Place, operations=[Post(status=202, output=False)])(Order)
    got: list[Any] = []

    async def place(command: Any) -> None:
        got.append(command)

    place.__annotations__["command"] = Place
    app.handler(place)
    async with served(app) as it:
        assert (await it.http.post("/orders", json={"lines": ["a"]})).status_code == 202
        assert (await it.http.post("/orders", json={"lines": []})).status_code == 422
        await it.worker.run_until_idle()
    assert got == [Place(["a"])]


async def test_an_output_is_made_of_the_results_fields_of_the_same_names() -> None:
    class Shown(msgspec.Struct):
        title: str

    app, store = App("library"), MemoryStore()
    app.resource(store=store, operations=[Post(output=Shown), Get()])(Book)
    async with served(app) as it:
        answer = await it.http.post("/books", json={"title": "Dune"})
    assert answer.json() == {"title": "Dune"}
    assert answer.headers["location"] == "/books/1"


async def test_a_repeated_key_makes_one_message() -> None:
    app = resets(operations=[Post(status=202, output=False)])

    @app.handler
    async def reset(request: Reset) -> None: ...

    async with served(app) as it:
        first = await it.http.post(
            "/password-resets", json={"username": "a"}, headers={"idempotency-key": "k"}
        )
        again = await it.http.post(
            "/password-resets", json={"username": "a"}, headers={"idempotency-key": "k"}
        )
        assert first.headers["x-correlation-id"] == again.headers["x-correlation-id"]
        assert len(it.worker.sent(Reset)) == 1


async def test_a_pydantic_model_travels_by_its_fields() -> None:
    class Signup(pydantic.BaseModel):
        mail: str = pydantic.Field(pattern="@")
        tags: list[str] = []

    app = App("shop")
    app.resource(messenger=True, operations=[Post(status=202)])(Signup)
    got: list[Any] = []

    async def sign(command: Any) -> None:
        got.append(command)

    sign.__annotations__["command"] = Signup
    app.handler(sign)
    async with served(app) as it:
        taken = await it.http.post("/signups", json={"mail": "a@b"})
        refused = await it.http.post("/signups", json={"mail": "ab"})
        await it.worker.run_until_idle()
    assert (taken.status_code, taken.json()) == (202, {"mail": "a@b", "tags": []})
    assert refused.status_code == 422
    assert got == [Signup(mail="a@b")]


class Line(pydantic.BaseModel):
    sku: str = pydantic.Field(min_length=1)
    count: int = 1
    parts: list[Line] = []


class Order(pydantic.BaseModel):
    lines: list[Line]
    page: pydantic.HttpUrl | None = None
    first: Line = Line(sku="none")
    id: str = "x"


async def test_a_pydantic_model_may_hold_what_only_pydantic_reads() -> None:
    app = App("shop")
    app.resource(messenger=True, operations=[Post(status=202), Patch()], provider=Orders)(Order)
    got: list[Any] = []

    async def take(command: Any) -> None:
        got.append(command)

    take.__annotations__["command"] = Order
    app.handler(take)
    sent = {"lines": [{"sku": "a", "parts": [{"sku": "b"}]}], "page": "https://example.com/x"}
    async with served(app) as it:
        taken = await it.http.post("/orders", json=sent)
        refused = await it.http.post("/orders", json={"lines": [{"sku": ""}, 5], "page": "no"})
        changed = await it.http.patch("/orders/x", json={"first": {"count": 3}})
        await it.worker.run_until_idle()
        described = (await it.http.get("/openapi.json")).json()["components"]["schemas"]["Order"]
    part = {"sku": "b", "count": 1, "parts": []}
    assert taken.json() == {
        "lines": [{"sku": "a", "count": 1, "parts": [part]}],
        "page": "https://example.com/x",
        "first": {"sku": "none", "count": 1, "parts": []},
        "id": "x",
    }
    assert (refused.status_code, changed.status_code) == (422, 200)
    assert [one["pointer"] for one in refused.json()["errors"]] == ["/lines/0/sku", "/lines/1", "/page"]
    assert got[0] == Order.model_validate(sent) and type(got[0].lines[0].parts[0]) is Line
    assert got[1].first == Line(sku="kept", count=3)
    assert described["properties"]["page"]["anyOf"][0]["format"] == "uri"


class Orders:
    async def provide(self, operation: Any, uri_variables: Any, context: Any) -> Order:
        return Order(lines=[], first=Line(sku="kept"))


async def test_a_processor_that_sends_an_event_is_told_what_to_send() -> None:
    """Events are recorded by handlers; a processor sends the command whose handler does that."""
    app = App("shop")

    @app.event
    class Joined(msgspec.Struct, frozen=True):
        name: str

    @app.processor
    class Joining:
        def __init__(self, messenger: MessengerProcessor) -> None:
            self._messenger = messenger

        async def process(self, data: Any, operation: Any, uri_variables: Any, context: Any) -> Any:
            with pytest.raises(TypeError, match="Joined is no command; it is an event: send a command"):
                await self._messenger.process(Joined(data.title), operation, uri_variables, context)

    app.resource(operations=[Post(processor=Joining)])(Book)
    async with served(app) as it:
        assert (await it.http.post("/books", json={"title": "Kim"})).status_code == 201
