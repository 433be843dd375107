"""``POST /commands/{type}``: what is taken, how it is answered, and what is refused."""

import json

import msgspec
import pytest

from tests.unit.http.fakes import OutOfStock, World, make_registry
from worker.errors import AbruptEnd, DatabaseUnavailable, NotFound, PublishFailed, StepFailed
from worker.http.dispatch import handler_error
from worker.messaging.identity import is_id

ORDER = {"order_id": "7", "lines": ["a"]}


def problem(response, status, slug):
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    document = response.json()
    assert document["type"] == f"urn:command-worker:problem:{slug}"
    assert document["status"] == status
    assert document["title"]
    return document


async def test_a_command_is_taken(client, world):
    """A queued command answers 202 with its id, its type and where its status is."""
    response = await client.post("/commands/PlaceOrder", json=ORDER)
    id = response.json()["id"]
    assert response.status_code == 202
    assert response.json() == {"id": id, "type": "PlaceOrder", "status": f"/commands/{id}"}
    assert response.headers["location"] == f"/commands/{id}"
    assert is_id(id)
    assert [envelope.id for envelope in world.commands.envelopes] == [id]
    assert world.commands.envelopes[0].key == "7"


async def test_an_alias_is_taken_under_its_types_name(client):
    """An alias is a name to send to; the answer has the declared one."""
    assert (await client.post("/commands/shop.place_order", json=ORDER)).json()["type"] == "PlaceOrder"


async def test_an_inline_command_is_done(client):
    """A command that is handled before the answer says 201 and done."""
    response = await client.post("/commands/CheckStock", json={"sku": "a"})
    assert (response.status_code, response.json()["status"]) == (201, "done")


@pytest.mark.parametrize(
    "name", ["Happened", "Search", "Nothing", "placeorder", "x" * 300, "%00", "%ff", "{id}"]
)
async def test_what_is_no_command_is_not_found(client, name):
    """An event, a query or an unknown name under /commands/ is 404."""
    problem(await client.post(f"/commands/{name}", json={}), 404, "unknown-type")


async def test_near_names_are_told(client):
    """A misspelt type is answered with the names that it may have meant."""
    assert "PlaceOrder" in (await client.post("/commands/PlaceOder", json={})).json()["detail"]


async def test_every_fault_is_named(client, world):
    """Invalid data is 422 with all faults by pointer, and nothing is sent."""
    document = problem(
        await client.post("/commands/PlaceOrder", json={"lines": [1], "to": {}}), 422, "invalid-message"
    )
    pointers = [fault["pointer"] for fault in document["errors"]]
    assert pointers == ["/order_id", "/lines/0", "/to/street", "/to/number"]
    assert world.commands.envelopes == []


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff\xfe", b"[" * 20_000, b'{"a":NaN}', b'{"a":1}{', b"null x"]
)
async def test_what_cannot_be_read_is_400(client, body):
    """A body that is no JSON is 400, never 500."""
    problem(await client.post("/commands/PlaceOrder", content=body), 400, "malformed")


@pytest.mark.parametrize(
    "body",
    [
        b"null",
        b"[]",
        b"1" * 5_000,
        b'{"order_id":1e999,"lines":[]}',
        b'{"order_id":"a","order_id":2,"lines":[]}',
        b'"x"',
    ],
)
async def test_what_does_not_fit_is_422(client, body):
    """JSON of another shape is 422, never 500."""
    problem(await client.post("/commands/PlaceOrder", content=body), 422, "invalid-message")


async def test_messagepack_goes_in_and_out(client):
    """A MessagePack body is read, and Accept chooses what is answered."""
    headers = {"Content-Type": "application/msgpack", "Accept": "application/msgpack"}
    response = await client.post(
        "/commands/PlaceOrder", content=msgspec.msgpack.encode(ORDER), headers=headers
    )
    assert (response.status_code, response.headers["content-type"]) == (202, "application/msgpack")
    assert msgspec.msgpack.decode(response.content)["type"] == "PlaceOrder"


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin1", ""]
)
async def test_other_content_types_are_415(client, kind):
    """Forms and text are refused: what a foreign page can send unasked is no command."""
    response = await client.post("/commands/PlaceOrder", content=b"{}", headers={"Content-Type": kind})
    problem(response, 415, "unsupported-media-type")
    assert "application/json" in response.headers["accept"]


@pytest.mark.parametrize("kind", [None, "application/json; charset=UTF-8", "Application/JSON"])
async def test_json_is_the_default(client, kind):
    """No content type is JSON; parameters and case do not matter."""
    request = client.build_request("POST", "/commands/PlaceOrder", content=msgspec.json.encode(ORDER))
    if kind:
        request.headers["Content-Type"] = kind
    assert (await client.send(request)).status_code == 202


async def test_a_larger_body_is_413(make_client):
    """A body past the limit is refused, whether or not its length was said before."""
    world = World(max_body=100)

    async def chunks():
        for _ in range(1000):
            read.append(1)
            yield b"x" * 50

    read = []
    async with make_client(world) as client:
        problem(await client.post("/commands/PlaceOrder", content=b"x" * 101), 413, "too-large")
        problem(await client.post("/commands/PlaceOrder", content=chunks()), 413, "too-large")
    assert len(read) < 10


@pytest.mark.parametrize(
    ("length", "status"), [("0" * 5000 + "64", 202), ("9" * 5000, 413), ("0" * 5000, 400), ("-1", 400)]
)
async def test_a_length_of_thousands_of_digits_is_a_number_like_others(client, length, status):
    """Zeros in front mean nothing, and what is larger than any limit is refused unread."""
    body = msgspec.json.encode(ORDER) if status == 202 else b""
    response = await client.post("/commands/PlaceOrder", content=body, headers={"Content-Length": length})
    assert response.status_code == status


async def test_correlation_and_trace_are_passed_on(client, world):
    """The correlation id and trace context go with the message, and the first comes back."""
    trace = f"00-{'1' * 32}-{'2' * 16}-01"
    response = await client.post(
        "/commands/PlaceOrder", json=ORDER, headers={"X-Correlation-Id": "abc", "traceparent": trace}
    )
    envelope = world.commands.envelopes[0]
    assert (envelope.correlation_id, envelope.traceparent) == ("abc", trace)
    assert response.headers["x-correlation-id"] == "abc"


@pytest.mark.parametrize("value", ["a b", "x" * 129, "\u00e4".encode(), ""])
async def test_malformed_ids_are_ignored(client, world, value):
    """A correlation id or trace context that is malformed does not stop a command."""
    response = await client.post(
        "/commands/PlaceOrder", json=ORDER, headers={"X-Correlation-Id": value, "traceparent": value}
    )
    envelope = world.commands.envelopes[0]
    assert response.status_code == 202
    assert (envelope.correlation_id, envelope.traceparent) == (envelope.id, None)


@pytest.mark.parametrize(
    "error", [PublishFailed("no"), PublishFailed("?", unknown=True), DatabaseUnavailable("gone")]
)
async def test_an_outage_is_503(client, world, error):
    """What cannot be taken now is 503 with the seconds after which another try makes sense."""
    world.commands.fails = error
    response = await client.post("/commands/PlaceOrder", json=ORDER)
    problem(response, 503, "unavailable")
    assert int(response.headers["retry-after"]) >= 1


async def test_what_the_broker_refuses_for_its_size_is_413(client, world):
    """A message that the broker will never take is no outage: another try makes no sense."""
    world.commands.fails = PublishFailed("larger than 262144 bytes", refused=True)
    response = await client.post("/commands/PlaceOrder", json=ORDER)
    assert "262144" in problem(response, 413, "too-large")["detail"]
    assert "retry-after" not in response.headers


async def test_a_declared_error_has_its_status(client, world):
    """An inline command's declared error answers its status with its words."""
    world.commands.fails = OutOfStock("none left")
    assert (
        problem(await client.post("/commands/CheckStock", json={"sku": "a"}), 409, "handler-error")["detail"]
        == "none left"
    )


class Unspeakable(OutOfStock):
    """Raises when its text is asked for."""

    def __str__(self):
        raise RuntimeError("no text")


@pytest.mark.parametrize(
    ("error", "detail"),
    [
        (OutOfStock("lone \udc80 NUL \0"), "lone \\udc80 NUL \\x00"),
        (Unspeakable(), "its text cannot be read: RuntimeError"),
    ],
)
async def test_a_declared_error_may_have_any_text(client, world, error, detail):
    """What cannot be written is written out; the status is the declared one."""
    world.commands.fails = error
    answer = await client.post("/commands/CheckStock", json={"sku": "a"})
    assert (answer.status_code, answer.json()["detail"]) == (409, detail)


@pytest.mark.parametrize("error", [ValueError("secret"), NotFound("secret"), RuntimeError("secret")])
async def test_an_undeclared_error_is_hidden(client, world, error):
    """Any other error of a handler is 500; the body names the line of the log and nothing else."""
    world.commands.fails = error
    response = await client.post("/commands/CheckStock", json={"sku": "a"})
    document = problem(response, 500, "internal")
    assert "secret" not in response.text
    assert document["instance"].startswith("urn:uuid:")


@pytest.mark.parametrize(
    "error",
    [
        AbruptEnd(SystemExit("secret")),
        SystemExit("secret"),
        KeyboardInterrupt(),
        BaseExceptionGroup("secret", [SystemExit()]),
    ],
)
async def test_what_would_end_the_process_is_a_problem_too(client, world, error):
    """As any other error of a handler: a document, and nothing of the reason in it."""
    world.commands.fails = error
    response = await client.post("/commands/CheckStock", json={"sku": "a"})
    problem(response, 500, "internal")
    assert "secret" not in response.text
    lines = b'{"type":"CheckStock","data":{"sku":"a"}}\n' * 2
    batch = await client.post("/commands", content=lines, headers={"Content-Type": "application/x-ndjson"})
    assert [json.loads(line)["error"]["status"] for line in batch.text.splitlines()] == [500, 500]


async def test_a_command_that_nothing_routed_is_done(make_client):
    """A middleware that does not go on has handled the command: 201."""

    class Swallowing:
        def __init__(self, bus):
            self.bus = bus

        async def dispatch(self, message, *stamps, **known):
            return (await self.bus.dispatch(message, *stamps, **known)).__class__(
                message=message, type="PlaceOrder", id="i"
            )

    plain = World()
    async with make_client(World(command_bus=Swallowing(plain.commands))) as client:
        assert (await client.post("/commands/PlaceOrder", json=ORDER)).status_code == 201


async def test_a_compressed_body_is_415(client, world):
    """What is not read here is refused by name, not taken for broken JSON."""
    response = await client.post(
        "/commands/PlaceOrder", content=b"\x1f\x8b", headers={"Content-Encoding": "gzip"}
    )
    assert "'gzip'" in problem(response, 415, "unsupported-media-type")["detail"]
    assert response.headers["accept-encoding"] == "identity"
    assert not world.commands.envelopes


def test_a_declared_base_exception_has_its_status():
    """What is no Exception can be named in ``errors=`` as well."""
    declared = msgspec.structs.replace(make_registry().messages["CheckStock"], errors={SystemExit: 409})
    error = handler_error(declared, AbruptEnd(SystemExit("none left")))
    assert (error.status, error.detail) == (409, "none left")


def test_a_failed_step_has_the_status_of_what_it_raised():
    """``errors=`` may name what steps raise, or that one failed."""
    failed = StepFailed("load", "export", None, LookupError("no such book"))
    declared = make_registry().messages["CheckStock"]
    error = handler_error(msgspec.structs.replace(declared, errors={LookupError: 404}), failed)
    assert (error.status, error.detail) == (404, "no such book")
    error = handler_error(
        msgspec.structs.replace(declared, errors={LookupError: 404, StepFailed: 502}), failed
    )
    assert error.status == 502
