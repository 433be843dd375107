"""What may be recorded and dispatched: what cannot be meant is said where it was said."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from worker import App, UsageError
from worker.messaging.sendable import checker

app = App("shop")


@app.command
class PlaceOrder(msgspec.Struct, frozen=True):
    order_id: str
    lines: list[str] = []


@app.event(key="order_id")
class OrderPlaced(msgspec.Struct, frozen=True):
    order_id: str


@app.query
class FindOrder(msgspec.Struct, frozen=True):
    order_id: str


class OrderPlacd(msgspec.Struct, frozen=True):
    order_id: str


@app.handler
async def place(command: PlaceOrder) -> None: ...


@app.handler
async def find(query: FindOrder) -> None: ...


check = checker(app.registry())


@pytest.mark.parametrize(
    ("call", "kind", "message", "said"),
    [
        ("record", "event", PlaceOrder("7"), r"record\(PlaceOrder\): PlaceOrder is a command; use dispatch\(\)"),
        ("dispatch", "command", OrderPlaced("7"), r"dispatch\(OrderPlaced\): OrderPlaced is an event; use record\(\)"),
        ("dispatch", "command", FindOrder("7"), r"FindOrder is a query"),
        ("record", "event", FindOrder("7"), r"FindOrder is a query"),
        ("record", "event", OrderPlaced, r"an event, not its class; write OrderPlaced\(\.\.\.\)"),
        ("dispatch", "command", None, r"a command that is declared, not a NoneType; known: PlaceOrder"),
        ("record", "event", OrderPlacd("7"), r"not a OrderPlacd; did you mean 'OrderPlaced'\?"),
        ("dispatch", "command", {"order_id": "7"}, r"not a dict"),
        ("dispatch", "command", PlaceOrder(7), r"dispatch\(PlaceOrder\): .*/order_id: expected str, got int"),  # type: ignore[arg-type]
        ("dispatch", "command", PlaceOrder("7", [1, "b", 2]), r"/lines/0: .*/lines/2: "),  # type: ignore[list-item]
        ("record", "event", OrderPlaced("a\0b"), r"/order_id: is its key: expected text without NUL"),
        ("record", "event", OrderPlaced(object()), r"cannot be written as JSON"),  # type: ignore[arg-type]
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(call: str, kind: Any, message: Any, said: str) -> None:
    """The error names the call, the message and what to write instead."""
    with pytest.raises(UsageError, match=said):
        check(call, message, kind)


def test_what_fits_is_taken() -> None:
    """Nothing is said."""
    check("dispatch", PlaceOrder("7", ["a"]), "command")
    check("record", OrderPlaced("7"), "event")
