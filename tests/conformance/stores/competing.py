"""Scenarios of several requests at once."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.conformance.stores.ground import Ground
from worker.errors import Stale, Taken


class Competing:
    async def test_of_many_that_want_one_value_one_gets_it(self, ground: Ground) -> None:
        async def create(number: int) -> str:
            try:
                await ground.create(isbn="same", title=f"t{number}")
            except Taken as error:
                return str(error.field)
            return "stored"

        told = await asyncio.gather(*(create(number) for number in range(8)))
        assert sorted(told) == ["isbn"] * 7 + ["stored"]
        assert len(await ground.titles()) == 1

    async def test_changes_of_different_fields_are_both_kept(self, ground: Ground) -> None:
        made = await ground.create(isbn="1", title="t")
        await asyncio.gather(ground.change(made["id"], author="A"), ground.change(made["id"], year=1))
        found = await ground.read(made["id"])
        assert found is not None and (found["author"], found["year"]) == ("A", 1)

    async def test_with_a_version_no_update_is_lost(self, ground: Ground) -> None:
        """Each adds one to what it has read; a request that is stale reads again."""
        made = await ground.create("account")

        async def add_one() -> None:
            while True:
                try:
                    async with ground.work("account") as work:
                        found = await work.find(made["id"])
                        await work.persist(work.fill(found, {"balance": found.balance + 1}))
                        return await work.commit()
                except Stale:
                    continue

        await asyncio.gather(*(add_one() for _ in range(10)))
        found = await ground.read(made["id"], "account")
        assert found is not None and found["balance"] == 10
        assert found["version"] == made["version"] + 10

    async def test_what_was_removed_meanwhile_is_stale_or_missing(self, ground: Ground) -> None:
        made = await ground.create("account")
        reading, removed = asyncio.Event(), asyncio.Event()

        async def change() -> Any:
            async with ground.work("account") as work:
                found = await work.find(made["id"])
                reading.set()
                if not self.serial:
                    await removed.wait()
                await work.persist(work.fill(found, {"balance": 5}))
                await work.commit()

        async def remove() -> None:
            await reading.wait()
            await ground.remove(made["id"], "account")
            removed.set()

        changed, _ = await asyncio.gather(change(), remove(), return_exceptions=True)
        assert isinstance(changed, Stale) or self.serial
        assert await ground.read(made["id"], "account") is None

    serial = False
    """Whether one that may change something keeps all others from it until it ends."""
