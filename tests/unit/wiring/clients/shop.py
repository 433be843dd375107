"""The application that clients are tried on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from worker import App, Settings
from worker.settings import DatabaseSettings, TransportSettings, WorkerSettings


class PlaceOrder(msgspec.Struct, frozen=True):
    order_id: str
    lines: int = 1


class Touch(msgspec.Struct, frozen=True):
    """Handled at once."""

    number: int = 0


class OrderPlaced(msgspec.Struct, frozen=True):
    order_id: str


class Unheard(msgspec.Struct, frozen=True):
    pass


class Find(msgspec.Struct, frozen=True):
    word: str


def shop(seen: list[Any] | None = None) -> App:
    """An application; ``seen`` gets what is handled."""
    app = App("shop")
    app.command(key="order_id")(PlaceOrder)
    app.command(transport="inline")(Touch)
    app.event(OrderPlaced)
    app.event(Unheard)
    app.query(Find)
    handled: list[Any] = [] if seen is None else seen

    @app.handler
    async def place(command: PlaceOrder) -> None:
        handled.append(command)

    @app.handler
    async def touch(command: Touch) -> None:
        if command.number < 0:
            raise LookupError(command.number)
        handled.append(command)

    @app.subscriber
    async def hear(event: OrderPlaced) -> None:
        handled.append(event)

    @app.handler
    async def find(query: Find) -> str:
        if query.word == "lost":
            raise LookupError(query.word)
        return query.word.upper()

    return app


def settings(folder: Path, transport: str = "", database: str = "", **more: Any) -> Settings:
    """Settings with everything in files of a folder, but what is named."""
    return Settings(
        database=DatabaseSettings(url=database or f"sqlite:///{folder}/worker.db"),
        transports={"here": TransportSettings(url=transport or f"sqlite:///{folder}/queue.db", **more)},
        routing={"*": "here"},
        worker=WorkerSettings(graceful_timeout=5.0),
        base=folder,
    )
