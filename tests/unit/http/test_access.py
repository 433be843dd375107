"""Without tokens only this machine is answered, and no other site's pages."""

import pytest

from tests.unit.http.fakes import World

ORDER = {"order_id": "7", "lines": []}


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1"])
async def test_loopback_clients_are_answered(make_client, world, address):
    """Every loopback address is this machine."""
    async with make_client(world, client=(address, 1)) as client:
        assert (await client.post("/commands/PlaceOrder", json=ORDER)).status_code == 202


@pytest.mark.parametrize(
    "address", ["10.0.0.1", "0.0.0.0", "2001:db8::1", "::ffff:10.0.0.1", "testclient", ""]
)
async def test_other_clients_are_refused(make_client, world, address):
    """Any other address is 403, whatever it says about itself."""
    async with make_client(world, client=(address, 1)) as client:
        for path in ("/", "/docs", "/livez", "/commands/PlaceOrder"):
            response = await client.get(
                path, headers={"X-Forwarded-For": "127.0.0.1", "Forwarded": "for=127.0.0.1"}
            )
            assert response.status_code == 403
            assert response.headers["content-type"] == "application/problem+json"


async def test_a_named_client_is_answered_and_its_neighbours_are_not(make_client):
    """The one further address that was configured is let in; others of its network are 403."""
    world = World(clients=("172.18.0.1",))
    for address, status in (("172.18.0.1", 202), ("172.18.0.2", 403), ("172.18.0.11", 403)):
        async with make_client(world, client=(address, 1)) as client:
            assert (await client.post("/commands/PlaceOrder", json=ORDER)).status_code == status


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost",
        "http://LOCALHOST:1",
        "http://127.0.0.1:8000",
        "http://[::1]:8000",
        "http://a.localhost",
    ],
)
async def test_own_names_are_answered(make_client, world, url):
    """Loopback names and addresses are this machine's."""
    async with make_client(world, base_url=url) as client:
        assert (await client.get("/livez")).status_code == 200


@pytest.mark.parametrize(
    "url",
    ["http://evil.example", "http://127.0.0.1.evil.example", "http://10.0.0.1:8000", "http://localhost.evil"],
)
async def test_foreign_names_are_refused(make_client, world, url):
    """A foreign name that points here (DNS rebinding) is 403."""
    async with make_client(world, base_url=url) as client:
        assert (await client.get("/livez")).status_code == 403


async def test_named_hosts_are_answered(make_client):
    """A name that was configured is this machine's too."""
    async with make_client(World(hosts=("box.internal",)), base_url="http://box.internal:8000") as client:
        assert (await client.get("/livez")).status_code == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost:3000", ""])
async def test_pages_of_other_origins_change_nothing(client, world, origin):
    """A change from another origin's page is 403, even as a request that a browser sends unasked."""
    for path in ("/commands/PlaceOrder", f"/failed/{world.failed.id}/retry"):
        assert (await client.post(path, content=b"{}", headers={"Origin": origin})).status_code == 403
    assert world.commands.envelopes == []
    assert world.failed.calls == []


async def test_the_own_origin_may(client):
    """The service's own pages may change things."""
    headers = {"Origin": "http://localhost:8000"}
    assert (await client.post("/commands/PlaceOrder", json=ORDER, headers=headers)).status_code == 202


async def test_no_page_may_read_from_elsewhere(client):
    """There are no CORS headers."""
    response = await client.options("/commands/PlaceOrder", headers={"Origin": "https://evil.example"})
    assert not [name for name in response.headers if name.startswith("access-control")]


async def test_every_client_is_answered_when_tokens_decide(make_client):
    """The rule ends where tokens begin."""
    async with make_client(World(loopback_only=False), client=("10.0.0.1", 1), base_url="http://x") as client:
        assert (await client.get("/livez")).status_code == 200
