"""The event of a request: what is made of it when it is first asked for is as if it had been there all the time."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.unit.http.resources.serving import served
from worker import App, Hook, Post, TokenDocument
from worker.resources import RequestEvent
from worker.tokens.principal import principal_of


class Note(msgspec.Struct):
    text: str


def notes(**options: Any) -> App:
    app = App("notes")
    app.resource(operations=[Post(**options)])(Note)
    return app


@pytest.mark.parametrize("first", [None, 100, 10])
async def test_attributes_are_the_same_whenever_they_are_first_asked_for(first: int | None) -> None:
    """Before the format is chosen there is no ``request_type``; code that asked before sees it afterwards."""
    app = notes()
    early: list[dict[str, Any]] = []
    late: list[dict[str, Any]] = []
    if first is not None:
        app.listener("request", priority=first)(lambda event: early.append(dict(event)))
    app.listener(Hook.PRE_RESPOND)(lambda event: late.append(dict(event)))
    token = TokenDocument(id="ci", plugins=("index",))
    async with served(app, principal_of(token, ("index",), lambda _, given: ())) as it:
        answer = await it.http.post("/notes", json={"text": "x"})
    assert answer.status_code == 201, answer.text
    whole = {
        "action": "create",
        "class": Note,
        "method": "POST",
        "operation": "note_create",
        "token": "ci",
        "plugins": ("index",),
        "request_type": ("rest", "json"),
    }
    assert late == [whole]
    if first == 100:
        del whole["request_type"]
    assert early == ([] if first is None else [whole])


async def test_a_request_that_is_first_asked_for_behind_the_body_has_it() -> None:
    app = notes()
    read: list[Any] = []

    @app.listener(Hook.POST_WRITE)
    async def note(event: RequestEvent) -> None:
        read.append((event.request is event.request, await event.request.json(), event.request.method))

    async with served(app) as it:
        await it.http.post("/notes", json={"text": "x"})
    assert read == [(True, {"text": "x"}, "POST")]


async def test_a_processor_that_is_given_the_event_may_say_what_runs_next() -> None:
    """Its stage is no quiet one, though there is no listener: respond is left out, and the error is told."""
    app = App("notes")

    @app.processor
    class Leaves:
        async def process(self, data: Any, operation: Any, uri_variables: Any, context: Any) -> Any:
            context["event"].skip_group("view")

    app.resource(operations=[Post(processor=Leaves)])(Note)
    async with served(app) as it:
        answer = await it.http.post("/notes", json={"text": "x"})
    assert answer.status_code == 500
