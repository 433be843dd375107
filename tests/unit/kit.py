"""The application that the test kit is tried on."""

from __future__ import annotations

from typing import Any

import msgspec

from worker import App


class Go(msgspec.Struct, frozen=True):
    number: int = 0


class Follow(msgspec.Struct, frozen=True):
    number: int = 0


class Gone(msgspec.Struct, frozen=True):
    number: int = 0


class Find(msgspec.Struct, frozen=True):
    word: str


def shop(*handlers: Any, **options: Any) -> App:
    """An application whose ``Go`` has these handlers."""
    app = App("shop")
    app.command(many_handlers=True, **options)(Go)
    app.command(Follow)
    app.event(Gone)
    app.query(Find)
    for handler in handlers:
        app.handler(handler)

    @app.handler
    async def follow(command: Follow) -> None: ...

    @app.handler
    async def find(query: Find) -> str:
        if query.word == "lost":
            raise LookupError(query.word)
        return query.word.upper()

    return app


def heard(app: App) -> list[Any]:
    """Subscribe to ``Gone``; what was heard."""
    events: list[Any] = []

    @app.subscriber
    async def hear(event: Gone) -> None:
        events.append(event)

    return events
