"""A transport is taken out of the settings while messages wait for it in the outbox: nothing hangs, and it is told."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
from structlog.testing import capture_logs

from tests.unit.runtime.house import house
from worker import App
from worker.messaging.parcel import Parcel
from worker.messaging.transport import Outgoing
from worker.settings import Settings
from worker.wiring.console import console
from worker.wiring.programs.background import _tell_stranded
from worker.wiring.service import Service

app = App("shop")


@app.command
class Near(msgspec.Struct, frozen=True):
    number: int = 0


@app.handler
async def near(command: Near) -> None: ...


async def leave(service: Service) -> None:
    """What a handler committed while there was such a transport."""
    outgoing = Outgoing(queue="shop-far", id="m1", type="Far", body=b"{}")
    await service.sending.outbox.leave([Parcel("gone", outgoing)])


async def test_a_burst_ends() -> None:
    """It waits for what it can send only."""
    async with house(app) as it:
        await leave(it.service)
        await it.send(Near(1))
        async with asyncio.timeout(10.0):
            await it.run(burst=True)
        assert it.outcomes() == ["done"]


async def test_a_check_names_it(tmp_path: Path) -> None:
    """No process sends it, and nothing else says so."""
    settings = Settings(base=tmp_path)
    async with console(settings, app.registry(), tables="create") as opening:
        assert await opening.faults() == []
        await leave(opening._service)
        (fault,) = await opening.faults()
        assert "1 message waits in the outbox for transport 'gone'" in fault


async def test_a_check_before_there_are_tables_does_not_fail(tmp_path: Path) -> None:
    """What is missing is said by ``missing``."""
    settings = Settings(base=tmp_path)
    async with console(settings, app.registry(), tables="ignore", queues=False, absent=True) as opening:
        assert await opening.faults() == []


async def test_the_log_names_it() -> None:
    """Of a transport that is routed to and only not open in this process it says nothing: others send that."""
    async with house(app) as it:
        await leave(it.service)
        with capture_logs() as logs:
            async with asyncio.timeout(10.0):
                telling = asyncio.create_task(_tell_stranded(it.service))
                while not logs:
                    await asyncio.sleep(0)
                telling.cancel()
        assert [(line["transport"], line["messages"]) for line in logs] == [("gone", 1)]
