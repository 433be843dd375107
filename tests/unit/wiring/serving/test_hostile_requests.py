"""Whatever comes in by HTTP gets a clear answer from the whole service: never 500, and nothing hangs."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import msgspec

from worker import App
from worker.http.app import create_app
from worker.settings import DatabaseSettings, Settings, TransportSettings
from worker.wiring.service import opened
from worker.wiring.serving.ports import intake_ports

ID = "0194b9a0-0000-7000-8000-00000000000a"
GOOD = b'{"order_id": "1"}'
DIGITS = b"9" * 5000
DEEP = b"[" * 5000
pack = msgspec.msgpack.encode


class PlaceOrder(msgspec.Struct, frozen=True):
    order_id: str
    count: int = 0
    rate: float = 0.0
    free: Any = None


class Search(msgspec.Struct, frozen=True):
    text: str
    limit: int = 10
    more: dict[str, int] = {}


def shop() -> App:
    app = App("shop")
    app.command(key="order_id")(PlaceOrder)
    app.query(Search)

    @app.handler
    async def place(command: PlaceOrder) -> None: ...

    @app.handler
    async def search(query: Search) -> str:
        return query.text

    return app


JSON: list[bytes] = [
    b"", b"[]", b"null", b"1e400", b"NaN", b'"\\ud800"', b"\xff", b"\xef\xbb\xbf{}", DEEP, b'{"a":' * 5000,
    b'{"order_id":"\\ud800"}', b'{"order_id":"a\\u0000"}', b'{"order_id":"\xed\xa0\x80"}', b'{"order_id":"1","order_id":2}',
    b'{"order_id":"1","count":' + DIGITS + b"}", b'{"order_id":"1","rate":1e400}', b'{"order_id":"1","free":1e400}',
    b'{"order_id":"1","free":' + DIGITS + b"}", b'{"order_id":"1","free":' + DEEP, b'{"order_id":"1","other":1e400}',
    b'{"order_id":"' + b"k" * 100_000 + b'"}', b'{"text":"a\\u0000"}', b'{"types":["\\u0000"]}', b'{"reason":"a\\u0000"}',
    b'{"for":1e400}', b'{"for":1e-320}', b'{"for":-1}', b'{"queues":["a\\u0000"]}', b'{"ids":["a\\u0000"]}', b'{"all":false}',
    b'{"all":true,"type":"x"}', b'{"type":"a\\u0000"}', b'{"type":"Nope"}', b'{"since":"999999999w"}',
    b'{"until":"0001-01-01T00:00:00+23:59"}', b'{"data":' + DEEP, b'{"data":1e400}', b'{"foo":1}',
]  # fmt: skip
PACKED: list[bytes] = [
    pack({"order_id": "1", "free": msgspec.msgpack.Ext(5, b"x")}), pack({"order_id": b"\xff"}), pack({b"order_id": "1"}),
    pack({"order_id": "1", "free": {1: 2, None: 3}}), pack({"order_id": "1", "free": float("nan")}), b"\xc1", b"\x91" * 5000,
    pack({"order_id": "1", "free": msgspec.msgpack.Ext(-1, b"\xff" * 8)}), b"\x81\xa8order_id\xa3\xed\xa0\x80", b"\xdd\xff\xff\xff\xff",
    pack({1: 1}), pack({"order_id": "1", "free": [{(1, 2): 3}]}),
]  # fmt: skip
QUERIES = [
    "foo=1", "%ff", "type=%00", "type=Nope", "since=nonsense", "since=999999999w", "until=0001-01-01T00:00:00%2B23:59",
    "since=9999-12-31T23:59:59-23:59", "limit=0", "limit=%D9%A1", "limit=99999999999999", "next=", "next=x", "next=%00",
    "next=W10", "next=WzEsImFcdTAwMDAiXQ", "group=%00", "delay=nan", "delay=1e400", "delay=%D9%A1", "key=%00", "text=%00",
    "text=a&more={", "text=a&more=" + "[" * 5000, "text=a&limit=" + "9" * 5000, "text=%ED%A0%80", "&&=",
    "a&" * 2000,
]  # fmt: skip
HEADERS: list[tuple[bytes, bytes]] = [
    (b"idempotency-key", b""), (b"idempotency-key", b"\xff"), (b"idempotency-key", b"x" * 300), (b"x-correlation-id", b"\xe9\x00"),
    (b"traceparent", b"\xff"), (b"prefer", b"wait=abc"), (b"prefer", b"\xff"), (b"prefer", b"wait=-1"), (b"accept", b"\xff"),
    (b"accept", b"application/msgpack;q=nan"), (b"accept", b"application/msgpack;q=1e999"), (b"content-type", b"\xff"),
    (b"content-type", b"application/json; charset=utf-16"), (b"content-length", b"-1"), (b"content-length", b"\xb2"),
    (b"content-length", DIGITS), (b"content-encoding", b"gzip"), (b"host", b"\xff"), (b"host", b"["), (b"origin", b"\xff"),
]  # fmt: skip
NAMES = [
    "x",
    ID,
    "%00",
    "a%2Fb",
    "%ff",
    "%ED%A0%80",
    "x" * 5000,
    "..",
    "%2e%2e",
    "%0a",
    "-",
    f"urn:uuid:{ID}",
]


def requests() -> list[tuple[str, str, list[tuple[bytes, bytes]], bytes]]:
    """Method, path with its query string, headers and body."""
    json, packed, lines = (
        [(b"content-type", name)]
        for name in (b"application/json", b"application/msgpack", b"application/x-ndjson")
    )
    posts = [
        "/commands/PlaceOrder",
        "/queries/Search",
        "/failed/retry",
        "/consumers/pause",
        "/consumers/resume",
    ]
    made = [("POST", path, json, body) for path in posts for body in JSON]
    made += [("POST", path, packed, body) for path in posts[:2] for body in PACKED]
    made += [("POST", "/commands", lines, b'{"type":"PlaceOrder","data":' + body + b"}") for body in JSON]
    made += [("PUT", f"/failed/{ID}", json, body) for body in JSON]
    for query in QUERIES:
        made += [("GET", f"{path}?{query}", [], b"") for path in ("/failed", "/queries/Search", "/consumers")]
        made.append(("POST", f"/commands/PlaceOrder?{query}", [], GOOD))
    for header in HEADERS:
        made += [("POST", "/commands/PlaceOrder", [header], GOOD), ("GET", "/failed", [header], b"")]
        made.append(("GET", f"/commands/{ID}", [header], b""))
    for name in NAMES:
        made += [("GET", f"/{path}/{name}", [], b"") for path in ("commands", "failed", "queries")]
        made += [("POST", f"/failed/{name}/retry", [], b""), ("DELETE", f"/failed/{name}", [], b"")]
        made.append(("POST", f"/commands/{name}", [], GOOD))
    return made


async def ask(app: Any, method: str, target: str, headers: list[tuple[bytes, bytes]], body: bytes) -> int:
    """Send what no HTTP client would; return the status."""
    path, _, query = target.partition("?")
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
        "path": unquote_to_bytes(path).decode(errors="surrogateescape"), "raw_path": path.encode(), "root_path": "",
        "query_string": query.encode(), "client": ("127.0.0.1", 1), "server": ("localhost", 80),
        "headers": [(b"host", b"localhost"), *headers],
    }  # fmt: skip
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    status: int = sent[0]["status"]
    if b'"status":500' in sent[1]["body"]:  # of a line
        return 500
    return status


async def test_no_request_is_an_internal_error(tmp_path: Path) -> None:
    """Wrong bytes, wrong numbers, depth, NUL, lone surrogates: in body, path, query string and header."""
    settings = Settings(
        database=DatabaseSettings(url=f"sqlite:///{tmp_path}/state.db"),
        transports={"sqlite": TransportSettings(url=f"sqlite:///{tmp_path}/queue.db")},
        base=tmp_path,
    )
    async with opened(settings, shop().registry()) as service:
        app = create_app(intake_ports(service, "127.0.0.1", (), asyncio.Event()))
        wrong = [
            (status, method, target[:80], headers, body[:60])
            for method, target, headers, body in requests()
            if (status := await ask(app, method, target, headers, body)) >= 500
        ]
    assert wrong == []
