"""Requests are counted for the processes that take from a transport now."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from worker.errors import DatabaseUnavailable
from worker.messaging.abilities import Requests
from worker.wiring.requests import requests


class Paid:
    """A transport whose broker is paid by the request."""

    def requests(self, queues: int, processes: int) -> Requests:
        return Requests(
            queues=queues, processes=processes, idle=1, busy=2, per_message=0.3, per_lone_message=4
        )


def service(*workers: tuple[str, ...] | None) -> Any:
    async def live() -> list[Any]:
        if None in workers:
            raise DatabaseUnavailable("away")
        return [SimpleNamespace(types=types) for types in workers]

    targets = [SimpleNamespace(type="A", transport="paid"), SimpleNamespace(type="B", transport="free")]
    return SimpleNamespace(
        brokers=SimpleNamespace(transports={"paid": Paid(), "free": object()}),
        fleet=SimpleNamespace(live=live, pausing=SimpleNamespace(targets=targets)),
        process=SimpleNamespace(routes=SimpleNamespace(queues={"paid": ["a", "b", "c"], "free": ["d"]})),
    )


@pytest.mark.parametrize(
    ("workers", "processes"),
    [([("A", "B"), ("B",), ("A",)], 2), ([("B",)], 1), ([], 1), ([None], 1)],
    ids=["two", "none of it", "none", "the database is away"],
)
async def test_processes_that_take_from_it_count_and_one_where_there_are_none(
    workers: list[Any], processes: int
) -> None:
    counted = await requests(service(*workers))
    assert {name: (made.queues, made.processes) for name, made in counted.items()} == {"paid": (3, processes)}
