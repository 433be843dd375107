"""The contract's example: it type-checks in an application's editor, and nothing loses its type."""

from __future__ import annotations

from typing import assert_type

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from worker import App, Context, Retry, Unrecoverable

app = App("shop")


@app.command(key="order_id", retry=Retry(max_retries=3, delay=1.0, multiplier=2.0))
class PlaceOrder(msgspec.Struct, frozen=True):
    order_id: str
    lines: list[str]


@app.event
class OrderPlaced(msgspec.Struct, frozen=True):
    order_id: str


@app.handler
async def place_order(command: PlaceOrder, context: Context) -> None:
    if not command.lines:
        raise Unrecoverable("an order has lines")
    context.record(OrderPlaced(command.order_id))
    context.dispatch(PlaceOrder(command.order_id, []), delay=5)


@app.subscriber
async def send_receipt(event: OrderPlaced, context: Context) -> None:
    assert_type(event.order_id, str)
    assert_type(context.message_id, str)
    assert_type(context.attempt, int)
    assert_type(context.token, str | None)
    assert_type(context.remaining, float | None)
    assert_type(context.session, AsyncSession)


assert_type(PlaceOrder("7", ["a"]).lines, list[str])
assert_type(OrderPlaced("7").order_id, str)
PlaceOrder(7, [])  # type: ignore[arg-type]
