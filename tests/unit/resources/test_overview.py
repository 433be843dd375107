"""What ``worker debug resource`` says: operations and the steps of their requests, without anything being made."""

from __future__ import annotations

from typing import Any

import msgspec

from worker import App, Get, Hook, Post, Put
from worker.resources.declared import DeclaredResource
from worker.resources.overview import resource_document


class Book(msgspec.Struct):
    title: str
    id: int | None = None


def documents(app: App) -> list[dict[str, Any]]:
    registry = app.registry()
    return [resource_document(one, registry) for one in registry.entries_of(DeclaredResource)]


def test_steps_are_in_the_order_in_which_they_run() -> None:
    app = App("library")
    app.resource(operations=[Put(), Get(listeners=False)])(Book)

    @app.listener(when={"token": "exists", "method": "PUT"})
    class Mailer:
        subscribed_events = {Hook.POST_WRITE: "mail"}

        def __init__(self) -> None:
            raise AssertionError("made")

        async def mail(self, event: Any) -> None: ...

    [document] = documents(app)
    put, get = document["operations"]
    assert [step["step"].rpartition(".")[2] for step in put["steps"]] == [
        "format",
        "read",
        "query_parameter_validate",
        "deserialize",
        "validate",
        "write",
        "mail",
        "serialize",
        "respond",
        "link",
        "validation_problem",
        "problem",
    ]
    assert put["steps"][6]["when"] == {"token": "exists"}  # what is known of the operation is decided
    assert all(step["step"].startswith("worker.") for step in get["steps"])


def test_processors_are_named_as_they_are_asked() -> None:
    app = App("library")

    def declare(name: str, **options: Any) -> None:
        class Process:
            async def process(self, data: Any, operation: Any, uri_variables: Any, context: Any) -> None: ...

        app.processor(name=name, **options)(Process)

    declare("bound")
    declare("low", supports=lambda data, operation: True)
    declare("high", supports=lambda data, operation: True, priority=1)
    app.resource(operations=[Post(processor="bound"), Put(), Get()])(Book)
    [document] = documents(app)
    assert [one["processor"] for one in document["operations"]] == ["bound", "high | low", None]
