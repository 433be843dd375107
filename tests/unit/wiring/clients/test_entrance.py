"""What a client takes at its entrance: what the worker that gets the message can read, and the product's own messages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.wiring.clients.shop import PlaceOrder, settings, shop
from worker import CheckHealth, Client, PauseConsumers, Ping, Stamp, UsageError

ID = "0190f5a1-7b60-7c3e-8f3a-2f6a4c1f9d10"


class Region(Stamp):
    value: str


@pytest.mark.parametrize("wrong", [5, "a\nb", "a\0b", "\ud800"])
async def test_a_correlation_id_that_no_worker_could_read_is_refused(tmp_path: Path, wrong: Any) -> None:
    """If it were taken, no worker could decode the message; likewise with the session of a transaction."""
    async with Client(shop(), settings(tmp_path)) as client:
        with pytest.raises(UsageError, match=r"send\(PlaceOrder\): correlation_id: expected text"):
            await client.send(PlaceOrder("7"), correlation_id=wrong)
        with pytest.raises(UsageError, match=r"send\(PlaceOrder\): correlation_id: expected text"):
            await client.send(PlaceOrder("7"), correlation_id=wrong, session=object())  # type: ignore[call-overload]


@pytest.mark.parametrize(
    ("wrong", "fault"), [(5, "got `int`"), ("\ud800", "surrogates"), (object(), "unsupported")]
)
async def test_a_stamp_that_no_worker_could_read_is_refused(tmp_path: Path, wrong: Any, fault: str) -> None:
    """What it holds is none of the types that it declares, or cannot be written at all."""
    async with Client(shop(), settings(tmp_path)) as client:
        with pytest.raises(UsageError, match=rf"send\(PlaceOrder\): Region: .*{fault}"):
            await client.send(PlaceOrder("7"), Region(wrong))


async def test_the_products_own_messages_are_sent_and_asked_like_others(tmp_path: Path) -> None:
    """As handlers dispatch them: queries are answered, commands are handled at once."""
    async with Client(shop(), settings(tmp_path)) as client:
        assert await client.ask(Ping()) is True
        assert (await client.ask(CheckHealth())).healthy
        await client.send(PauseConsumers(types=["PlaceOrder"]))
        await client.send(PlaceOrder("7"), id=ID)
        assert (await client.status(ID)).paused
        with pytest.raises(UsageError, match="Ping is a query"):
            await client.send(Ping())
