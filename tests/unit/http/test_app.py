"""The paths of the service itself, and what holds for all of them."""

import asyncio
import re
from contextlib import asynccontextmanager

import pytest
from structlog.testing import capture_logs

from tests.unit.http.fakes import World


async def test_the_root_is_a_ping(client):
    """HEAD / answers 200 without a body."""
    response = await client.head("/")
    assert (response.status_code, response.content) == (200, b"")


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("/openapi.jsn", "; did you mean '/openapi.json'? "),
        ("/consumers/", "; did you mean '/consumers'? "),
        ("/nothing-like-it", "; "),
    ],
)
async def test_a_path_that_is_not_there_is_told_with_what_was_meant(client, path, meant):
    detail = (await client.get(path)).json()["detail"]
    assert detail == f"nothing is at {path!r}{meant}/docs lists what there is"


@pytest.mark.parametrize(
    "path", ["/nope", "/metrics", "/commands/", "/commands/a/b", "/livez/", "/%ff", "/%00"]
)
async def test_unknown_paths_are_problems(client, path):
    """What is not there is a 404 problem, for every method."""
    for method in ("GET", "HEAD", "POST", "OPTIONS", "PATCH"):
        response = await client.request(method, path)
        assert response.status_code in ({404, 405, 204} if path == "/commands/" else {404})
        if response.status_code == 404:
            assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("DELETE", "/commands", "OPTIONS, POST"),
        ("PUT", "/commands/PlaceOrder", "GET, HEAD, OPTIONS, POST"),
        ("PATCH", "/failed/x", "DELETE, GET, HEAD, OPTIONS, PUT"),
        ("POST", "/health", "GET, HEAD, OPTIONS"),
        ("BREW", "/docs", "GET, HEAD, OPTIONS"),
    ],
)
async def test_other_methods_are_405(client, method, path, allow):
    """A method that a path does not know is 405 and says which it knows; OPTIONS says the same."""
    response = await client.request(method, path)
    assert (response.status_code, response.headers["allow"]) == (405, allow)
    assert response.json()["type"].endswith("method-not-allowed")
    assert (await client.options(path)).headers["allow"] == allow


async def test_head_has_the_head_of_get(client):
    """HEAD has GET's status and headers, and no body; errors too."""
    for path in ("/health", "/docs", "/nope"):
        head, get = await client.head(path), await client.get(path)
        assert (head.status_code, head.content) == (get.status_code, b"")
        assert head.headers["content-length"] == get.headers["content-length"]


async def test_health_says_what_does_not_answer(client, world):
    """The report is 200 when all is well, else 503."""
    assert (await client.get("/health")).status_code == 200
    world.healthy = False
    response = await client.get("/health")
    assert (response.status_code, response.json()["status"]) == (503, {"database": False})


async def test_readiness_has_reasons(client, world):
    """Not ready is 503 with reasons; living does not depend on it."""
    assert (await client.get("/readyz")).json() == {"ready": True, "reasons": []}
    world.reasons.append("database: no answer")
    response = await client.get("/readyz")
    assert (response.status_code, response.json()["reasons"]) == (503, ["database: no answer"])
    assert (await client.get("/livez")).status_code == 200


async def test_readiness_that_cannot_be_told_is_not_ready(make_client):
    """A check that fails is a reason, not a 500."""

    async def broken():
        raise RuntimeError("secret")

    async with make_client(World(ready=broken)) as client:
        response = await client.get("/readyz")
    assert response.status_code == 503
    assert "secret" not in response.text


async def test_an_unforeseen_error_is_hidden(make_client):
    """An unforeseen error is a 500 problem without its words; the log has it under the problem's instance."""

    async def broken():
        raise RuntimeError("secret")

    async with make_client(World(document=broken)) as client:
        with capture_logs() as lines:
            response = await client.get("/consumers")
    assert response.status_code == 500
    assert "secret" not in response.text
    problem = response.json()
    assert problem["instance"] in problem["detail"]
    assert [(line["event"], line["instance"]) for line in lines] == [("request failed", problem["instance"])]


async def test_the_documentation_needs_nothing_from_elsewhere(client):
    """The page names every command and loads nothing: no script, no link to another host."""
    response = await client.get("/docs")
    assert "PlaceOrder" in response.text
    assert "curl -i -X POST &#x27;http://localhost:8000/commands/PlaceOrder&#x27;" in response.text
    assert "<script" not in response.text
    assert "https://" not in response.text
    assert "default-src 'none'" in response.headers["content-security-policy"]


async def test_the_documentation_reads_as_prose(client):
    """Backticks are set as code, parameters are told in words, a schema leads to those that it names."""
    response = await client.get("/docs")
    prose = re.sub(r"<pre.*?</pre>", "", response.text, flags=re.DOTALL)
    assert "<code>application/problem+json</code>" in prose
    assert "`" not in prose
    assert "number; minimum 0" in prose
    assert '<pre id="schema-PlaceOrder">' in response.text
    named = set(re.findall(r'href="#([^"]+)"', response.text))
    assert named <= set(re.findall(r'id="([^"]+)"', response.text))


async def test_the_openapi_document_has_every_type(client):
    """Commands and queries each have their path, with what they take and every error."""
    document = (await client.get("/openapi.json")).json()
    assert document["openapi"] == "3.1.0"
    assert set(document["paths"]["/commands/PlaceOrder"]["post"]["responses"]) >= {
        "202",
        "400",
        "415",
        "422",
        "503",
    }
    assert "201" in document["paths"]["/commands/CheckStock"]["post"]["responses"]
    assert "404" in document["paths"]["/queries/Search"]["get"]["responses"]
    assert not [path for path in document["paths"] if "Happened" in path]


async def test_start_and_stop_reach_the_wiring():
    """The lifespan given is entered at start and left at stop."""
    steps = []

    @asynccontextmanager
    async def lifespan():
        steps.append("start")
        yield
        steps.append("stop")

    messages = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])
    sent = []

    async def receive():
        return next(messages)

    async def send(message):
        sent.append(message["type"])

    await World(lifespan=lifespan).app({"type": "lifespan"}, receive, send)
    assert steps == ["start", "stop"]
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


async def test_what_a_stop_cuts_short_is_a_problem_document(world, make_client):
    """A request that is cancelled after the graceful timeout is answered 503, not by the server's plain text."""
    entered = asyncio.Event()

    async def never(*_given, **_more):
        entered.set()
        await asyncio.Event().wait()

    world.queries.dispatch = never
    async with make_client(world) as client, asyncio.timeout(30):
        asked = asyncio.create_task(client.post("/queries/Search", json={"text": "a"}))
        await entered.wait()
        world.ports.stopping.set()
        asked.cancel()
        response = await asked
    assert response.status_code == 503
    assert response.headers["content-type"] == "application/problem+json"
    assert "the server stops" in response.json()["detail"]


async def test_a_handler_that_cancels_its_own_request_gets_a_problem_document(world, make_client):
    """Only a stop of the server ends a request without an answer."""

    async def cancels(*_given, **_more):
        asyncio.current_task().cancel()
        await asyncio.sleep(0)

    world.queries.dispatch = cancels
    async with make_client(world) as client, asyncio.timeout(30):
        response = await client.post("/queries/Search", json={"text": "a"})
    assert response.status_code == 500
    assert response.headers["content-type"] == "application/problem+json"
