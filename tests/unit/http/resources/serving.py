"""An application's intake in memory, with everything behind it: real buses, a real database for keys and states."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import httpx
import msgspec

from worker import App
from worker.http.app import create_app
from worker.testing import TestWorker
from worker.tokens.principal import ANYONE, Principal
from worker.wiring.serving.ports import intake_ports


@asynccontextmanager
async def served(
    app: App,
    principal: Principal = ANYONE,
    routing: Mapping[str, str] | None = None,
    settings: Mapping[str, Any] | None = None,
    **options: Any,
) -> AsyncIterator[Served]:
    """Serve an application; every caller is ``principal``, messages are queued unless ``routing`` says otherwise.

    ``settings`` are other than those of the tests.
    """
    opening = TestWorker(app, **options)
    other = {**(settings or {}), **({} if routing is None else {"routing": dict(routing)})}
    opening._settings = msgspec.structs.replace(opening._settings, **other)
    async with opening as worker:
        ports = intake_ports(worker._open(), "127.0.0.1", (), asyncio.Event())
        ports = replace(ports, repeats=replace(ports.repeats, wait=0.0))
        if principal is not ANYONE:
            ports = replace(ports, tokens=_Known(principal))
        transport = httpx.ASGITransport(create_app(ports), client=("127.0.0.1", 1))
        headers = {} if principal is ANYONE else {"authorization": "Bearer 0123456789abcdef"}
        async with httpx.AsyncClient(
            transport=transport, base_url="http://127.0.0.1", headers=headers
        ) as client:
            yield Served(client, worker)


class Served:
    """What tests hold: ``http`` calls, ``worker`` handles."""

    def __init__(self, http: httpx.AsyncClient, worker: TestWorker) -> None:
        self.http = http
        self.worker = worker


class _Known:
    in_use = True

    def __init__(self, principal: Principal) -> None:
        self._principal = principal

    def at_hand(self, secret):
        return self._principal

    async def find(self, secret):
        return self._principal

    async def spend(self, principal):
        return None

    async def all(self):
        return ()
