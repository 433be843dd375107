"""The product's own messages over HTTP: beside the application's, and in no list of these."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx

from tests.unit.kit import Go, shop
from worker.http.app import create_app
from worker.settings import DatabaseSettings, Settings, TransportSettings
from worker.wiring.service import opened
from worker.wiring.serving.ports import intake_ports


async def test_they_are_asked_and_sent_by_name(tmp_path: Path) -> None:
    """Queries are answered, commands handled at once; they cannot be paused, and OpenAPI lists the application's alone."""

    async def go(command: Go) -> None: ...

    settings = Settings(
        database=DatabaseSettings(url=f"sqlite:///{tmp_path}/state.db"),
        transports={"sqlite": TransportSettings(url=f"sqlite:///{tmp_path}/queue.db")},
        base=tmp_path,
    )
    async with opened(settings, shop(go).registry()) as service:
        ports = intake_ports(service, "127.0.0.1", (), asyncio.Event())
        transport = httpx.ASGITransport(create_app(ports), client=("127.0.0.1", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            for name in ("Ping", "worker.Ping"):
                assert (await client.get(f"/queries/{name}")).json() is True
            health = (await client.post("/queries/CheckHealth", json={})).json()
            assert health["status"] == {"database": True, "transport.sqlite": True}
            paused = await client.post("/commands/PauseConsumers", json={"types": ["Go"]})
            assert (paused.status_code, paused.json()["status"]) == (201, "done")
            shown = (await client.get("/consumers")).json()["consumers"]
            assert [one["type"] for one in shown if one["paused"]] == ["Go"]
            refused = await client.post("/consumers/pause", json={"types": ["worker.PauseConsumers"]})
            assert refused.status_code == 400
            document = (await client.get("/openapi.json")).json()
            assert not [path for path in document["paths"] if "Ping" in path or "PauseConsumers" in path]
