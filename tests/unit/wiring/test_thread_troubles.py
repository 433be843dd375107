"""Threads that are given up are seen where operators and orchestrators look."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from tests.unit.runtime.house import house
from worker import App
from worker.runtime.options import ConsumeOptions
from worker.runtime.threads import SPARE, Threads
from worker.wiring.consumers_document import consumers_document
from worker.wiring.consuming import make_consumers
from worker.wiring.serving.ports import intake_ports
from worker.wiring.serving.probes import Probes


class Go(msgspec.Struct, frozen=True):
    pass


def shop() -> App:
    app = App("shop")
    app.command(Go)

    @app.handler
    def go(command: Go) -> None: ...

    return app


async def test_threads_that_are_not_replaced_are_in_status_and_readiness(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In the worker's heartbeat, on its probes and on the intake's."""
    monkeypatch.setattr(Threads, "troubles", lambda threads: (f"{SPARE} threads are held",))
    async with house(shop()) as it:
        made = make_consumers(it.service, ConsumeOptions())
        await made.control.report()
        (shown,) = (await consumers_document(it.service))["workers"]
        assert shown["troubles"] == [f"{SPARE} threads are held"]
        probes = Probes(it.service, made, 0)
        assert f"{SPARE} threads are held" in await probes._ready()
        assert f"{SPARE} threads are held" in (await probes._health()).reasons
        ports = intake_ports(it.service, "127.0.0.1", (), asyncio.Event())
        assert f"{SPARE} threads are held" in await ports.health.ready()
        probes._server._socket.close()
