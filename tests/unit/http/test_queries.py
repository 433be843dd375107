"""``/queries/{type}``: data for a body or for a query string."""

import msgspec
import pytest

from tests.unit.http.fakes import Search
from worker.errors import AbruptEnd


async def test_a_query_answers_with_its_data(client, world):
    """POST reads the body and answers what the handler returned."""
    response = await client.post("/queries/Search", json={"text": "a"})
    assert (response.status_code, response.json()) == (200, {"hits": ["a"]})
    assert world.queries.envelopes[0].message == Search("a")


async def test_get_reads_text(client, world):
    """GET turns text into numbers, lists, booleans and dates."""
    response = await client.get("/queries/Search?text=1&limit=5&tags=a&tags=b&exact=true&since=2026-01-31")
    message = world.queries.envelopes[0].message
    assert response.status_code == 200
    assert (message.text, message.limit, message.tags, message.exact, message.since.day) == (
        "1",
        5,
        ["a", "b"],
        True,
        31,
    )


@pytest.mark.parametrize(
    "query", ["", "text=a&text=b", "text=a&limit=x", "text=a&limit=nan", "text=a&exact=2"]
)
async def test_bad_parameters_are_422(client, query):
    """A missing, repeated or unfit parameter is named."""
    response = await client.get(f"/queries/Search?{query}")
    assert response.status_code == 422
    assert response.json()["errors"]


@pytest.mark.parametrize("query", ["text=%ff", "&".join(f"a{n}=1" for n in range(1001))])
async def test_an_unreadable_query_string_is_400(client, query):
    """What is no percent-encoded UTF-8, or far too much, is 400."""
    assert (await client.get(f"/queries/Search?{query}")).status_code == 400


@pytest.mark.parametrize("query", ["text=%zz", "text=%00", "text=a&&=&", "text=" + "%F0%9F%98%80"])
async def test_odd_text_is_text(client, query):
    """Odd but readable query strings are taken as they are."""
    assert (await client.get(f"/queries/Search?{query}")).status_code == 200


async def test_a_declared_error_has_its_status(client, world):
    """A declared error answers its status with its words, subclasses too."""
    world.queries.fails = KeyError("no index")
    response = await client.get("/queries/Search?text=a")
    assert response.status_code == 404
    assert "no index" in response.json()["detail"]


async def test_an_undeclared_error_is_hidden(client, world):
    """Any other error is 500 without its words."""
    world.queries.fails = ZeroDivisionError("secret")
    response = await client.get("/queries/Search?text=a")
    assert response.status_code == 500
    assert "secret" not in response.text


async def test_what_would_end_the_process_is_a_problem_too(client, world):
    """A query whose handler wants to exit is answered like one that failed."""
    world.queries.fails = AbruptEnd(SystemExit("secret"))
    response = await client.get("/queries/Search?text=a")
    assert (response.status_code, response.headers["content-type"]) == (500, "application/problem+json")
    assert "secret" not in response.text


async def test_what_a_client_may_keep(client):
    """A GET may be kept as long as the declaration says, a POST not at all."""
    assert (await client.get("/queries/Search?text=a")).headers["cache-control"] == "private, max-age=60"
    assert (await client.post("/queries/Search", json={"text": "a"})).headers["cache-control"] == "no-store"


async def test_messagepack_is_answered_where_it_can_hold_the_data(client, world):
    """MessagePack is answered when accepted; an integer beyond its range is answered in JSON."""
    headers = {"Accept": "application/msgpack"}
    response = await client.get("/queries/Search?text=a", headers=headers)
    assert msgspec.msgpack.decode(response.content) == {"hits": ["a"]}
    world.queries.results[Search] = 2**70
    assert (await client.get("/queries/Search?text=a", headers=headers)).json() == 2**70


async def test_what_is_no_query_is_404(client):
    """A command or an unknown name under /queries/ is 404."""
    assert (await client.get("/queries/PlaceOrder")).status_code == 404
