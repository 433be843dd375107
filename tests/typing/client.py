"""How a client reads to type checkers."""

from __future__ import annotations

from typing import assert_type

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from worker import App, Client, Envelope, Settings

app = App("shop")


@app.command
class PlaceOrder(msgspec.Struct, frozen=True):
    order_id: str


async def with_a_loop(session: AsyncSession) -> None:
    async with Client(app, Settings()) as client:
        assert_type(client, Client)
        assert_type(await client.send(PlaceOrder("7"), delay=5, session=session), Envelope[PlaceOrder])
        status = await client.status("id", wait=3)
        assert_type(status.attempts, int)
        await client.send(PlaceOrder("7"), at=5)  # pyright: ignore[reportCallIssue]


def without_a_loop(session: Session) -> None:
    client = Client.sync(app, "worker.toml")
    assert_type(client.send(PlaceOrder("7"), session=session), Envelope[PlaceOrder])
    with client as opened:
        assert_type(opened.send(PlaceOrder("7")), Envelope[PlaceOrder])
