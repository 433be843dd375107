"""Settlements on their way: a transport that fails over one of them settles the others."""

from __future__ import annotations

from collections.abc import Sequence

from structlog.testing import capture_logs

from worker.errors import TransportUnavailable
from worker.messaging.transport import Ack, Again, Delivery, Outgoing, Settled, Settlement
from worker.runtime.taking.settlements import Settlements


def ack(name: str) -> Ack:
    return Ack(Delivery(queue="q", id=name, body=b"", receipt=None))


async def test_one_that_a_transport_fails_over_keeps_no_other_from_being_settled() -> None:
    """They are then settled one by one; the outcome of the failing one is unknown, and it comes again."""
    told: list[list[str]] = []

    async def tell(items: Sequence[Settlement]) -> Sequence[Settled]:
        told.append([item.delivery.id for item in items])
        if any(item.delivery.id == "bad" for item in items):
            raise ValueError("a driver's fault")
        return [Settled.DONE] * len(items)

    settlements = Settlements("memory", "q", tell, lambda: None, {})
    with capture_logs() as lines:
        for name in ("a", "bad", "b"):
            settlements.add(ack(name))
        await settlements.flush()
    assert told == [["a", "bad", "b"], ["a"], ["bad"], ["b"]]
    assert settlements.idle
    (unknown,) = [line for line in lines if line["event"].startswith("settlement not taken")]
    assert (unknown["id"], unknown["answer"]) == ("bad", "unknown")


async def test_what_a_transport_fails_to_swap_is_remembered() -> None:
    """Its next attempt is published when it comes again; an outage says nothing about it."""
    faults: dict[str, Exception] = {
        "bad": ValueError("a driver's fault"),
        "away": TransportUnavailable("away"),
    }

    async def tell(items: Sequence[Settlement]) -> Sequence[Settled]:
        for item in items:
            if item.delivery.id in faults:
                raise faults[item.delivery.id]
        return [Settled.DONE] * len(items)

    settlements = Settlements("memory", "q", tell, lambda: None, {})
    with capture_logs():
        for name in ("good", "bad", "away"):
            settlements.add(Again(ack(name).delivery, Outgoing(queue="q", id=name, type="t", body=b"")))
        await settlements.flush()
    assert [settlements.swaps(name) for name in ("good", "bad", "away")] == [True, False, True]
