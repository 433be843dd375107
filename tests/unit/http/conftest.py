"""An intake in memory and a client on the same machine."""

import httpx
import pytest

from tests.unit.http.fakes import World


@pytest.fixture
def make_client():
    """Makes a client of a world's intake; anything about the connection can be changed."""

    def make(world, client=("127.0.0.1", 5000), base_url="http://localhost:8000", **more):
        transport = httpx.ASGITransport(app=world.app, client=client, raise_app_exceptions=True)
        return httpx.AsyncClient(transport=transport, base_url=base_url, **more)

    return make


@pytest.fixture
def world():
    return World()


@pytest.fixture
async def client(world, make_client):
    async with make_client(world) as client:
        yield client
