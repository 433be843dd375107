"""Settlements on their way: a transport that fails over one of them settles the others."""

from __future__ import annotations

from collections.abc import Sequence

from structlog.testing import capture_logs

from worker.messaging.transport import Ack, Delivery, Settled, Settlement
from worker.runtime.settlements import Settlements


def ack(name: str) -> Ack:
    return Ack(Delivery(queue="q", id=name, body=b"", receipt=None))


async def test_one_that_a_transport_fails_over_keeps_no_other_from_being_settled() -> None:
    """They are told one by one then; the one is unknown, and comes again."""
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
