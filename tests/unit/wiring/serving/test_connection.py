"""HTTP over a real socket: whatever is sent, there is an answer that is no 500, or an end; no other client is held up."""

from __future__ import annotations

import asyncio
import gzip
import itertools
import json
import re

import pytest

from tests.unit.http.fakes import World
from worker.wiring.serving.connection import KEEP_ALIVE, MAX_BESIDE, PATIENCE, PATIENCE_AT_STOP, SLOWEST
from worker.wiring.serving.server import Server

BODY = b'{"order_id":"7","lines":["a"]}'
POST = b"POST /commands/PlaceOrder HTTP/1.1\r\nHost: localhost\r\n"
LENGTH = b"Content-Length: %d\r\n\r\n" % len(BODY)
GOOD = POST + LENGTH + BODY
GET = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Serving:
    """An intake on a socket of its own, whose time passes when the test says so."""

    def __init__(self) -> None:
        self.world = World()
        self.server = Server(self.world.app, "127.0.0.1", 0, 1.0)
        self.at = 0.0

    @property
    def connections(self):
        return list(self.server._uvicorn.server_state.connections)

    def passes(self, seconds, *, stopping=False):
        self.at += seconds
        for connection in self.connections:
            connection.look(self.at, stopping=stopping)

    async def connect(self, data=b""):
        reader, writer = await asyncio.open_connection("127.0.0.1", self.server.port)
        known = len(self.connections)
        writer.write(data)
        await writer.drain()
        async with asyncio.timeout(30):
            while not self.connections and not known:
                await asyncio.sleep(0.001)
        return reader, writer

    async def says(self, data, *, ends=True):
        """What is answered to these bytes, after which the client says no more."""
        reader, writer = await self.connect(data)
        if ends:
            writer.write_eof()
        async with asyncio.timeout(30):
            answer = await reader.read()
        writer.close()
        return answer

    async def until(self, true):
        async with asyncio.timeout(30):
            while not true():
                await asyncio.sleep(0.001)


@pytest.fixture
async def server():
    server = Serving()
    running = asyncio.create_task(server.server.run())
    await server.until(lambda: server.server._uvicorn.started)
    yield server
    server.server.stop()
    async with asyncio.timeout(30):
        await running


def status(answer):
    return int(answer.split(b" ", 2)[1])


def statuses(answers):
    return [int(found) for found in re.findall(rb"HTTP/1.1 (\d+)", answers)]


def posted(*headers, body=BODY, version=b"1.1", target=b"/commands/PlaceOrder", method=b"POST"):
    lines = [method + b" " + target + b" HTTP/" + version, b"Host: localhost", b"Connection: close", *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


SIZED = b"Content-Length: %d" % len(BODY)
CHUNKED = b"Transfer-Encoding: chunked"

ODD = {
    "chunked": (posted(CHUNKED, body=b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY)), 202),
    "a chunk each byte": (
        posted(CHUNKED, body=b"".join(b"1\r\n%c\r\n" % c for c in BODY) + b"0\r\n\r\n"),
        202,
    ),
    "trailers": (posted(CHUNKED, body=b"%x\r\n%b\r\n0\r\nX-T: 1\r\n\r\n" % (len(BODY), BODY)), 202),
    "no length": (posted(body=b""), 400),
    "a length and chunks": (posted(SIZED, CHUNKED, body=b"0\r\n\r\n"), 400),
    "two lengths": (posted(SIZED, b"Content-Length: 1"), 400),
    "a negative length": (posted(b"Content-Length: -1"), 400),
    "a length of hundreds of digits": (posted(b"Content-Length: " + b"9" * 300), 400),
    "a length beyond what is taken": (posted(b"Content-Length: 99999999999"), 413),
    "wrong chunks": (posted(CHUNKED, body=b"zz\r\n"), 400),
    "gzip": (posted(b"Content-Encoding: gzip", SIZED, body=gzip.compress(BODY)[: len(BODY)]), 415),
    "100-continue": (posted(b"Expect: 100-continue", SIZED), 100),
    "HTTP/1.0": (posted(SIZED, version=b"1.0"), 202),
    "HTTP/3.7": (posted(SIZED, version=b"3.7"), 400),
    "an absolute URL": (posted(SIZED, target=b"http://localhost/commands/PlaceOrder"), 202),
    "an absolute URL of another host": (
        posted(SIZED, target=b"http://evil.example/commands/PlaceOrder"),
        202,
    ),
    "a URL without path": (posted(target=b"http://localhost", method=b"GET", body=b""), 400),
    "OPTIONS *": (posted(target=b"*", method=b"OPTIONS", body=b""), 404),
    "CONNECT": (posted(target=b"localhost:80", method=b"CONNECT", body=b""), 400),
    "TRACE": (posted(method=b"TRACE", body=b""), 405),
    "an unknown method": (posted(method=b"BREW", body=b""), 400),
    "a NUL in a header": (posted(b"X-A: a\0b", SIZED), 400),
    "a header that is folded": (posted(b"X-A: a\r\n b", SIZED), 400),
    "64 KiB in one header": (posted(b"X-A: " + b"a" * 65_536, SIZED), 202),
    "a thousand headers": (posted(*[b"X-%d: a" % i for i in range(1000)], SIZED), 202),
    "a path of 64 KiB": (posted(SIZED, target=b"/commands/" + b"a" * 65_536), 400),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    "an upgrade": (posted(b"Connection: Upgrade", b"Upgrade: websocket", SIZED), 202),
    "wrong bytes in the path": (posted(target=b"/commands/\xff\xfe", body=b""), 400),
}


async def test_an_odd_request_has_a_clear_answer(server):
    """No 500, and the next one is served."""
    for name, (data, expected) in ODD.items():
        answer = await server.says(data, ends=False)
        assert status(answer) == expected, name
        if expected >= 400:
            head, _, body = answer.partition(b"\r\n\r\n")
            assert b"application/problem+json" in head, name
            assert json.loads(body)["status"] == expected, name
        assert status(await server.says(posted(SIZED))) == 202, name


OFFERS = [
    [b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABkAAQBAAAAAAUAAEAA"],
    [b"Connection: Upgrade", b"Upgrade: websocket", b"Sec-WebSocket-Version: 13"],
]


@pytest.mark.parametrize("offer", OFFERS, ids=["h2c", "websocket"])
async def test_a_client_that_offers_another_protocol_is_answered_in_this_one(server, offer):
    """As Java's client does with every request: its body is read, however it comes, and the connection stays usable."""
    cuts = [None, 60, -len(BODY) - 2, -len(BODY), -5]
    for cut, chunked in itertools.product(cuts, [False, True]):
        framed = [CHUNKED] if chunked else [SIZED]
        sent = b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY) if chunked else BODY
        lines = [b"POST /commands/PlaceOrder HTTP/1.1", b"Host: localhost", *offer, *framed, b"", sent]
        data = b"\r\n".join(lines)
        server.world.commands.envelopes.clear()
        reader, writer = await server.connect()
        for expected in (1, 2):
            writer.write(data[:cut])
            if cut is not None:
                for _ in range(20):
                    await asyncio.sleep(0)
                writer.write(data[cut:])
            async with asyncio.timeout(30):
                assert status(await reader.readuntil(b"}")) == 202
            assert len(server.world.commands.envelopes) == expected
        writer.write(GET)
        async with asyncio.timeout(30):
            assert status(await reader.readuntil(b"}")) == 200
        writer.close()


async def test_an_offer_without_a_body_is_answered_too(server):
    """A probe or a status, and what follows it."""
    offer = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n" + b"\r\n".join([*OFFERS[0], b"", b""])
    answer = await server.says(offer + offer + posted(SIZED), ends=False)
    assert statuses(answer) == [
        200,
        200,
        202,
    ]


async def test_a_head_request_is_answered_without_a_body(server):
    """Also where it is a problem: whatever followed would be taken for the next answer."""
    for path in [
        "/",
        "/livez",
        "/readyz",
        "/health",
        "/docs",
        "/openapi.json",
        "/consumers",
        "/failed",
        "/commands",
        "/nope",
    ]:
        answer = await server.says(posted(method=b"HEAD", target=path.encode(), body=b""))
        assert status(answer) < 500
        assert answer.partition(b"\r\n\r\n")[2] == b"", path


async def test_an_options_request_names_the_methods(server):
    """And nothing that a page of another origin could use."""
    for path in ("/", "/livez", "/commands", "/commands/PlaceOrder", "/failed/x", "/nope"):
        answer = await server.says(posted(method=b"OPTIONS", target=path.encode(), body=b""))
        assert status(answer) in {204, 404}
        assert (status(answer) == 404) != (b"allow: " in answer), path
        assert b"access-control" not in answer.lower()


async def test_pipelined_requests_are_answered_in_order(server):
    """Each has its answer, the last as well as the first."""
    answer = await server.says(GET + GOOD + GET + posted(SIZED, target=b"/commands/Nope"), ends=False)
    assert statuses(answer) == [
        200,
        202,
        200,
        404,
    ]


async def test_a_body_that_ends_before_its_length_is_not_taken(server):
    """The client went away in the middle: nothing is sent, nothing is said."""
    assert await server.says(posted(b"Content-Length: 1000")) == b""
    assert server.world.commands.envelopes == []


async def test_a_body_that_never_comes_ends_in_408(server):
    """In a bounded time, and without a message."""
    reader, writer = await server.connect(POST + b"Content-Length: 100\r\n\r\n{")
    await server.until(lambda: server.connections[0].cycle is not None)
    server.passes(1)
    server.passes(PATIENCE - 1)
    assert not server.connections[0].transport.is_closing()
    server.passes(2)
    answer = await reader.read()
    assert (status(answer), json.loads(answer.partition(b"\r\n\r\n")[2])["status"]) == (408, 408)
    writer.close()
    assert server.world.commands.envelopes == []


async def test_a_body_that_comes_slowly_but_comes_is_waited_for(server):
    """Its time grows with what has come: a large batch over a thin line is no attack."""
    _, writer = await server.connect(POST + b"Content-Length: 900000\r\n\r\n" + b" " * SLOWEST * 20)
    await server.until(lambda: server.connections and server.connections[0]._body == SLOWEST * 20)
    server.passes(1)
    server.passes(PATIENCE + 19)
    assert not server.connections[0].transport.is_closing()
    server.passes(2)
    await server.until(lambda: not server.connections)
    writer.close()


@pytest.mark.parametrize(
    ("begun", "patience"),
    [
        (b"", KEEP_ALIVE),
        (b"POST /comm", PATIENCE),
        (POST + b"X-A: a", PATIENCE),
        (b"\r\n\r\n\r\n", KEEP_ALIVE),
    ],
)
async def test_a_head_that_never_ends_ends(server, begun, patience):
    """A connection on which nothing is said, or half a head, is not kept for ever."""
    reader, writer = await server.connect(begun)
    await server.until(lambda: server.connections and server.connections[0]._received == len(begun))
    server.passes(1)
    server.passes(patience - 1)
    assert not server.connections[0].transport.is_closing()
    server.passes(2)
    async with asyncio.timeout(30):
        await reader.read()
    writer.close()


async def test_a_body_after_its_answer_holds_no_connection(server):
    """An unknown type is answered before the body has come; what follows is read, but not for ever, and not answered."""
    reader, writer = await server.connect(
        posted(b"Content-Length: 100", target=b"/commands/Nope", body=b"a").replace(
            b"Connection: close\r\n", b""
        )
    )
    async with asyncio.timeout(30):
        assert status(await reader.readuntil(b"\r\n\r\n")) == 404
    writer.write(b"b")
    await server.until(lambda: server.connections[0]._body == 2)
    await closes_when_idle(server, reader)
    writer.close()


async def test_an_idle_connection_is_kept_and_closed_in_the_end(server):
    """Its time counts from its last answer; it ends without a word, which could be taken for an answer."""
    reader, writer = await server.connect()
    for _ in range(3):
        writer.write(GOOD)
        async with asyncio.timeout(30):
            assert status(await reader.readuntil(b"}")) == 202
        server.passes(1)
        server.passes(KEEP_ALIVE - 1)
    server.passes(1)
    assert not server.connections[0].transport.is_closing()
    await closes_when_idle(server, reader)
    writer.close()


async def closes_when_idle(server, reader):
    """It does, after its time, and says nothing more."""
    server.passes(1)
    server.passes(KEEP_ALIVE + 1)
    async with asyncio.timeout(30):
        assert (await reader.read()).partition(b"}")[2] == b""


async def test_who_is_answered_slowly_is_not_cut_off(server):
    """Only the client's own slowness counts: a wait or a slow handler is not ended."""
    server.world.status.put("0194b9a0-0000-7000-8000-00000000000a", "running")
    path = b"/commands/0194b9a0-0000-7000-8000-00000000000a"
    _, waiting = await server.connect(
        posted(b"Prefer: wait=50", b"X: ", target=path, method=b"GET", body=b"")
    )
    await server.until(lambda: server.world.status.asked)
    server.passes(1)
    server.passes(1000)
    assert not any(connection.transport.is_closing() for connection in server.connections)
    server.world.ports.stopping.set()
    waiting.close()


async def test_clients_leave_files_to_handlers(server, monkeypatch):
    """Beyond its share of what the process may open a connection is refused; one that ends makes room for another."""
    monkeypatch.setattr("worker.wiring.serving.connection.most_connections", lambda: 1)
    _, first = await server.connect(POST)
    refused = await server.says(b"", ends=False)
    assert status(refused) == 503
    assert b"too many connections" in refused
    first.close()
    await server.until(lambda: not server.connections)
    assert status(await server.says(GET)) == 200


async def test_a_stop_does_not_wait_for_bodies_that_do_not_come(server):
    """Three seconds, and not the whole graceful timeout."""
    reader, writer = await server.connect(POST + b"Content-Length: 100\r\n\r\n{")
    await server.until(lambda: server.connections[0].cycle is not None)
    server.passes(1, stopping=True)
    (connection,) = server.connections
    assert not connection.transport.is_closing()
    server.passes(PATIENCE_AT_STOP + 1, stopping=True)
    assert connection.transport.is_closing()
    assert status(await reader.read()) == 408
    writer.close()


@pytest.mark.parametrize(
    "endless",
    [
        (POST, b"X-A: " + b"a" * 1000 + b"\r\n"),
        (POST + b"X-A: ", b"a" * 1000),
        (b"GET /", b"a" * 1000),
        (POST + CHUNKED + b"\r\n\r\n0\r\n", b"X-A: " + b"a" * 1000 + b"\r\n"),
        (GET + POST + b"X-A: ", b"a" * 1000),
    ],
    ids=["headers", "header", "path", "trailers", "after a whole request"],
)
async def test_what_comes_without_end_is_cut_off(server, endless):
    """Headers, a header, a path, trailers: nothing else bounds the memory that they take."""
    begin, more = endless
    _, writer = await server.connect(begin)
    sent = 0
    try:
        while sent < 4 * MAX_BESIDE:
            writer.write(more)
            sent += len(more)
            await writer.drain()
            if not sent % 50_000 and not server.connections:
                break
    except ConnectionError:
        pass
    await server.until(lambda: not server.connections)
    writer.close()
    assert sent < 4 * MAX_BESIDE or not server.connections
    assert server.world.commands.envelopes == []
