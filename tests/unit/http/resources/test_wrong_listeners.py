"""What listeners may set wrongly: each is an error that says who, where and what; never another answer, never nothing stored."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from starlette.exceptions import HTTPException
from starlette.responses import Response

from tests.unit.http.resources.memory_store import MemoryStore
from tests.unit.http.resources.serving import served
from worker import App, Hook
from worker.resources import RequestEvent
from worker.resources.operation import Operation

Does = Callable[[RequestEvent], Any]


class Book(msgspec.Struct):
    title: str
    id: int | None = None


CALLS = {
    "POST": ("/books", {"title": "Kim"}),
    "PUT": ("/books/7", {"title": "Kim"}),
    "PATCH": ("/books/7", {"title": "Kim"}),
    "DELETE": ("/books/7", None),
    "GET": ("/books/7", None),
}


async def called(method: str, place: Hook, does: Does) -> tuple[Any, list[BaseException], MemoryStore]:
    """The answer of a request with one listener, what the exception event was told, and the store."""
    app, store = App("library"), MemoryStore()
    store.rows = {7: Book("Emma", 7)}
    app.resource(store=store)(Book)
    errors: list[BaseException] = []

    @app.listener(place)
    async def wrong(event: RequestEvent) -> Any:
        return does(event)

    @app.listener("exception", priority=5)
    async def note(event: RequestEvent) -> None:
        if event.error is not None:
            errors.append(event.error)

    path, body = CALLS[method]
    async with served(app) as it:
        answer = await it.http.request(method, path, json=body)
    return answer, errors, store


def setting(attribute: str, value: Any) -> Does:
    return lambda event: setattr(event, attribute, value)


@pytest.mark.parametrize(
    "value", [None, {"title": "Kim"}, "x", Response("x")], ids=lambda value: type(value).__name__
)
@pytest.mark.parametrize("attribute", ["data", "result"])
@pytest.mark.parametrize("place", [Hook.POST_DESERIALIZE, Hook.PRE_WRITE])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_what_the_store_cannot_keep_is_no_success(
    method: str, place: Hook, attribute: str, value: Any
) -> None:
    """It was answered as if it had been stored, or removed."""
    answer, errors, store = await called(method, place, setting(attribute, value))
    assert answer.status_code == 500
    assert store.rows == {7: Book("Emma", 7)}
    (error,) = errors
    what = "None" if value is None else f"a {type(value).__name__}"
    assert f"what is to be written is {what}, set by" in str(error)
    assert f"wrong (Hook.{place.name}); expected Book" in str(error)


async def test_an_object_of_the_resource_may_take_the_place_of_another() -> None:
    answer, errors, store = await called("POST", Hook.PRE_WRITE, setting("result", Book("Emma", 8)))
    assert (answer.status_code, errors) == (201, [])
    assert store.rows[8] == Book("Emma", 8)


def switched(name: str, value: Any) -> Does:
    return lambda event: event.attributes.update({name: value})


@pytest.mark.parametrize("name", ["receive", "persist", "respond"])
@pytest.mark.parametrize("value", [None, 0, 1, "no", "False", []], ids=repr)
async def test_a_switch_that_is_no_boolean_switches_nothing_silently(name: str, value: Any) -> None:
    answer, errors, store = await called("POST", Hook.PRE_READ, switched(name, value))
    assert answer.status_code == 500
    assert store.rows == {7: Book("Emma", 7)}
    expected = f"(Hook.PRE_READ) set event.attributes[{name!r}] to {value!r}: expected True or False"
    assert expected in str(errors[0])


@pytest.mark.parametrize("attribute", ["operation", "resource", "store", "principal"])
@pytest.mark.parametrize("value", [None, 7, Operation()], ids=["None", "int", "operation"])
@pytest.mark.parametrize("place", [Hook.PRE_READ, Hook.PRE_WRITE, Hook.POST_WRITE])
async def test_what_a_request_is_about_stays(attribute: str, value: Any, place: Hook) -> None:
    answer, errors, _ = await called("POST", place, setting(attribute, value))
    assert answer.status_code == 500
    assert f"wrong (Hook.{place.name}) changed event.{attribute}, which stays" in str(errors[0])


@pytest.mark.parametrize("attribute", ["operation", "data", "uri_variables"])
async def test_what_is_deleted_is_told(attribute: str) -> None:
    answer, errors, _ = await called("PUT", Hook.POST_READ, lambda event: delattr(event, attribute))
    assert answer.status_code == 500
    assert "wrong (Hook.POST_READ" in str(errors[0])
    assert f"event.{attribute}" in str(errors[0])


@pytest.mark.parametrize(
    "value",
    [None, Response, lambda *_: None, "x", 7, {}],
    ids=["None", "class", "lambda", "str", "int", "dict"],
)
@pytest.mark.parametrize("place", [Hook.PRE_READ, Hook.PRE_WRITE, Hook.POST_RESPOND])
async def test_only_a_response_is_an_answer(place: Hook, value: Any) -> None:
    answer, errors, _ = await called("GET", place, setting("response", value))
    assert answer.status_code == 500
    assert "expected a Response of Starlette's" in str(errors[0])


@pytest.mark.parametrize("status", [0, 99, 100, 600, "200", None])
async def test_a_response_has_a_status_that_answers_have(status: Any) -> None:
    def respond(event: RequestEvent) -> None:
        made = Response("x")
        made.status_code = status
        event.response = made

    answer, errors, _ = await called("GET", Hook.PRE_READ, respond)
    assert answer.status_code == 500
    assert f"the status {status!r}: expected 200 to 599" in str(errors[0])


async def coroutine() -> None: ...


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (lambda: Response("x"), "returned a response, which has no effect; set event.response"),
        (coroutine, "returned a coroutine, which is never run; await it"),
    ],
    ids=["response", "coroutine"],
)
async def test_what_is_returned_and_nobody_takes_is_told(made: Callable[[], Any], told: str) -> None:
    answer, errors, _ = await called("GET", Hook.POST_READ, lambda event: made())
    assert answer.status_code == 500
    assert told in str(errors[0])


async def test_what_else_is_returned_does_no_harm() -> None:
    answer, errors, _ = await called("GET", Hook.POST_READ, lambda event: 7)
    assert (answer.status_code, errors) == (200, [])


@pytest.mark.parametrize(
    ("status", "answered", "body"),
    [
        (0, 500, True),
        (99, 500, True),
        (200, 500, True),
        (204, 500, True),
        (304, 304, False),
        (418, 418, True),
    ],
)
async def test_a_status_that_is_raised_is_one_of_what_did_not_go_well(
    status: int, answered: int, body: bool
) -> None:
    def refuse(event: RequestEvent) -> None:
        raise HTTPException(status, "no", {"content-length": "5", "x-why": "x"})

    answer, _, _ = await called("GET", Hook.POST_READ, refuse)
    assert answer.status_code == answered
    assert bool(answer.content) is body
    assert answer.headers.get_list("content-length") == ([str(len(answer.content))] if body else [])


class Alien: ...


@pytest.mark.parametrize("raised", [ValueError("x"), SystemExit(3), StopAsyncIteration()], ids=repr)
async def test_the_log_says_which_listener_raised_and_where(raised: BaseException) -> None:
    def fail(event: RequestEvent) -> None:
        raise raised

    _, (error,), _ = await called("PATCH", Hook.PRE_WRITE, fail)
    assert any("wrong of update, group view" in note for note in error.__notes__)


async def test_a_result_that_cannot_be_written_says_who_set_it() -> None:
    answer, (error,), _ = await called("GET", Hook.PRE_SERIALIZE, setting("result", Alien()))
    assert answer.status_code == 500
    assert any("the Alien that cannot be written was set by" in note for note in error.__notes__)
    assert any("wrong (Hook.PRE_SERIALIZE)" in note for note in error.__notes__)


async def test_a_listener_that_cancels_its_request_ends_nothing_else() -> None:
    def cancel(event: RequestEvent) -> None:
        raise asyncio.CancelledError

    answer, _, _ = await called("GET", Hook.POST_READ, cancel)
    assert answer.status_code == 500
