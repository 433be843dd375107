"""A message is declared by its class, bare or with options, in either form of the decorator."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from worker.application.app import App
from worker.messaging.declaration import MessageType
from worker.messaging.declaring.registry import WrongDeclarations
from worker.messaging.retry import Retry


class Order(msgspec.Struct, frozen=True):
    order_id: str = ""


@pytest.mark.parametrize("kind", ["command", "event"])
def test_a_class_may_be_given_together_with_options(kind: str) -> None:
    """``app.command(Order, retry=...)`` declares a class from elsewhere just as ``@app.command(retry=...)`` above it does."""
    options: dict[str, Any] = {"retry": Retry(max_retries=7), "aliases": ["old.order"], "queue": "orders"}
    beside, above = App("shop"), App("shop")
    assert getattr(beside, kind)(Order, **options) is Order
    assert getattr(above, kind)(**options)(Order) is Order
    [one], [other] = beside._declared.of(MessageType), above._declared.of(MessageType)
    assert msgspec.structs.asdict(one) == msgspec.structs.asdict(other)
    assert (one.name, one.retry, one.aliases, one.queue) == (
        "Order",
        Retry(max_retries=7),
        ("old.order",),
        "orders",
    )


def test_an_option_that_there_is_not_is_a_fault_beside_a_class_too() -> None:
    """Nothing that was given is left out in silence."""
    app = App("shop")
    app.query(Order, chache=5)
    assert app._declared.faults == ["query 'Order': unknown option chache=5; did you mean 'cache'?"]


def test_an_empty_name_is_no_name() -> None:
    """It is not taken for one that is not given."""
    app = App("shop")
    app.event(name="")(Order)
    with pytest.raises(WrongDeclarations, match="'' is no wire name"):
        app.registry()


def test_a_name_is_given_by_position_or_by_keyword() -> None:
    """Where it is one, it is not that of the class."""
    app = App("shop")
    app.command("by.position")(Order)
    app.command(name="by.keyword")(Order)
    assert [one.name for one in app._declared.of(MessageType)] == ["by.position", "by.keyword"]


@pytest.mark.parametrize("option", ["queue", "transport"])
def test_the_name_of_a_queue_has_no_control_characters(option: str) -> None:
    """No broker and no log could show it; PostgreSQL would refuse it at the first message."""
    app = App("shop")
    app.event(**{option: "a\0b"})(Order)
    with pytest.raises(WrongDeclarations, match=rf"{option}='a\\x00b', expected a name"):
        app.registry()
