"""Stamps and envelopes: a stamp is declared by a plain class, is read-only, and comes back in its type."""

from __future__ import annotations

from typing import Any, ClassVar, assert_type

import msgspec

import worker
from worker import CallNext, Envelope


class Region(worker.Stamp):
    value: str


class Customer(worker.Stamp):
    name: str
    label: str = ""


class Window(worker.Stamp):
    opens: float
    days: tuple[int, ...] = ()


class Local(worker.Stamp, frozen=True):
    travels: ClassVar[bool] = False
    value: int = 0


class Go(msgspec.Struct, frozen=True):
    to: str


class Stay(msgspec.Struct, frozen=True):
    pass


Region(3)  # type: ignore[arg-type]
Window()  # type: ignore[call-arg]
assert_type(Customer("a").name, str)
assert_type(Window(1.0, days=(1, 2)).days, tuple[int, ...])


def read(envelope: Envelope[Go]) -> None:
    assert_type(envelope.message, Go)
    assert_type(envelope.get(Region), Region | None)
    assert_type(envelope.with_(Region("eu"), Local()), Envelope[Go])
    assert_type(envelope.without(Region), Envelope[Go])
    assert_type(envelope.with_message(Go("a")), Envelope[Go])
    assert_type(envelope.stamps, tuple[worker.Stamp, ...])
    envelope.with_message(Stay())  # type: ignore[arg-type]
    envelope.get(Go)  # type: ignore[type-var]


async def mark(envelope: Envelope[Any], call_next: CallNext) -> Envelope[Any]:
    return await call_next(envelope.with_(Region("eu")))
