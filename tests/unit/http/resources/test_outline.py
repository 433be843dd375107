"""The outline of a resources' action: what is shown is what requests run."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.unit.http.resources.memory_store import MemoryStore
from tests.unit.http.resources.serving import served
from worker import App, Delete, Get, GetCollection, Hook, Patch, Post, Put
from worker.chain.declared import DeclaredAction
from worker.http.resources import requests
from worker.resources.hook import ACTIONS
from worker.resources.outline import outline

Placed = list[tuple[str, str | None, int]]


class Book(msgspec.Struct):
    title: str
    id: int | None = None


def allowed(principal: Any, object: Any, request: Any) -> bool:
    return True


def placed(chain: Any) -> Placed:
    return [(step.name, step.group, step.priority) for step in chain.steps]


def library() -> App:
    """Every stage that there is."""
    app = App("library")
    operations = [
        operation(
            security=allowed, **({"security_after": allowed} if operation in {Post, Put, Patch} else {})
        )
        for operation in (Get, GetCollection, Post, Put, Patch, Delete)
    ]
    app.resource(store=MemoryStore(), operations=operations)(Book)

    @app.listener(Hook.POST_WRITE)
    async def tell(event: Any) -> None: ...

    app.action("create", groups={"audit": 50})

    @app.step(action="create", group="audit")
    async def audit(event: Any) -> None: ...

    @app.step
    async def each(event: Any) -> None: ...

    return app


async def test_what_is_shown_is_what_requests_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """For each action, name by name, where the operation leaves no stage out."""
    found: dict[str, Placed] = {}

    def recording(facts: Any, *others: Any) -> Any:
        chain = original(facts, *others)
        found[facts["action"]] = placed(chain)
        return chain

    original = requests.chain_of
    monkeypatch.setattr(requests, "chain_of", recording)
    app = library()
    async with served(app) as service:
        await service.http.get("/books/7")
    registry = app.registry()
    actions = {action.name: action for action in registry.entries_of(DeclaredAction)}
    assert {name: placed(outline(registry, actions[name])) for name in ACTIONS} == found
