"""With tokens in use, every caller shows one, and may do what it says."""

import json
import re
from typing import Annotated

import msgspec
import pytest
from msgspec import Meta

from tests.unit.http.fakes import FakeBus, World
from worker import App
from worker.errors import LimitReached
from worker.http.endpoints import ENDPOINTS
from worker.messaging.stamps import Plugins, SentBy, Token
from worker.tokens.configured import configured
from worker.tokens.document import KnownToken
from worker.tokens.known import KnownTokens
from worker.tokens.rights import RIGHTS
from worker.tokens.secret import digest_of, hash_of
from worker.tokens.store import Held
from worker.wiring.tokens import marks

ORDER = {"order_id": "7", "lines": []}
NOW = 1_770_000_000.0
NDJSON = {"Content-Type": "application/x-ndjson"}
CONFIGURED = {"root": "r" * 16, "read_only": "o" * 16, "ping": "p" * 16}


class Index(msgspec.Struct, frozen=True):
    index: str
    tags: list[str]


class Ask(msgspec.Struct, frozen=True):
    index: str


Word = Annotated[str, Meta(pattern="^[a-z]+$")]


class Strict(msgspec.Struct, frozen=True, rename="camel"):
    """Has no value for all that there is."""

    index_name: Word
    tags: Annotated[list[Word], Meta(min_length=1)]


class StrictAsk(msgspec.Struct, frozen=True):
    index: Word
    tags: Annotated[list[Word], Meta(min_length=1)]


class Store:
    """Tokens in a dictionary, by the hash of their secret."""

    def __init__(self, **tokens):
        self.tokens = {hash_of(secret): token for secret, token in tokens.items()}
        self.asked = []

    async def in_use(self):
        return bool(self.tokens)

    async def find(self, hashes):
        self.asked.append(list(hashes))
        return [Held(self.tokens[one], one) for one in hashes if one in self.tokens]

    async def used(self, times):
        """Times of use are not kept here."""


class Known(KnownTokens):
    """What the intake asks, with what counts messages in a list."""

    def __init__(self, secrets=None, **tokens):
        self.store = Store(**{name: KnownToken(id=name, **members) for name, members in tokens.items()})
        super().__init__(self.store, configured(secrets or {}), 2.0, marks, lambda: NOW)
        self.in_use = self.in_use or bool(tokens)
        self.spent = []

    async def spend(self, principal):
        self.spent.append(principal.id)


@pytest.fixture
def intake(make_client):
    """A client of an intake with these tokens, whose secrets are their ids; from another machine."""

    def make(known=None, /, **tokens):
        known = known or Known(**tokens)
        world = World(tokens=known, clock=lambda: NOW)
        client = make_client(world, client=("10.0.0.9", 1), base_url="http://example.com")
        client.world, client.known = world, known
        return client

    return make


def bearer(secret):
    return {"Authorization": f"Bearer {secret}"}


def tried(endpoint):
    """A path of an endpoint, with a value for each parameter."""
    values = {"type": "Search" if "queries" in endpoint.path else "PlaceOrder"}
    return re.sub(r"{(\w+)(:path)?}", lambda found: values.get(found[1], "x"), endpoint.path)


# --- the matrix: made of the declarations, so that none is forgotten --------------------------------------------------


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.id)
async def test_an_endpoint_is_for_those_who_have_its_right(intake, endpoint):
    """Each token has one right: those with the endpoint's, by itself or within a greater one, pass; no other does."""
    rights = ("*", *RIGHTS)
    names = {f"{place:02}": right for place, right in enumerate(rights)}
    async with intake(**{name: {"rights": (right,)} for name, right in names.items()}) as client:
        passed = set()
        for name, right in names.items():
            response = await client.request(endpoint.method, tried(endpoint), headers=bearer(name))
            assert response.status_code != 401
            if response.status_code == 403:
                assert repr(endpoint.right) in response.json()["detail"]
            else:
                passed.add(right)
    if endpoint.right is None:
        assert passed == set(rights)
    else:
        assert passed == {"*", endpoint.right, endpoint.right.removesuffix(".read")}


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.id)
@pytest.mark.parametrize(
    "headers",
    [
        {},
        bearer("nobody"),
        bearer(""),
        bearer("late"),
        {"Authorization": "Basic c2hvcDo="},
        {"Authorization": "shop"},
    ],
    ids=["missing", "unknown", "empty", "expired", "another scheme", "no scheme"],
)
async def test_an_endpoint_is_for_nobody_without_a_token_but_the_probes(intake, endpoint, headers):
    """Missing, unknown and expired ones are 401, with what is expected."""
    at = "2026-02-02T00:00:00Z"
    async with intake(late={"rights": ("*",), "expires_at": at_utc(at)}, shop={}) as client:
        response = await client.request(endpoint.method, tried(endpoint), headers=headers)
    if endpoint.right is None:
        assert response.status_code == 200
    else:
        assert (response.status_code, response.headers["www-authenticate"]) == (401, "Bearer")


def at_utc(text):
    from datetime import datetime

    return datetime.fromisoformat(text.replace("Z", "+00:00"))


async def test_what_is_nowhere_is_told_to_nobody_without_a_token(intake):
    """A stranger learns neither which paths there are nor which methods."""
    async with intake(shop={}) as client:
        for method, path in (
            ("GET", "/nowhere"),
            ("PATCH", "/health"),
            ("OPTIONS", "/commands"),
            ("POST", "/commands/Nope"),
        ):
            assert (await client.request(method, path)).status_code == 401
        assert (await client.get("/nowhere", headers=bearer("shop"))).status_code == 404


# --- configured ones --------------------------------------------------------------------------------------------------


async def test_configured_tokens_do_what_they_are_for(intake):
    """root everything; read_only looks and asks; ping asks how the service is. None needs the database."""
    known = Known(CONFIGURED)
    for name, secret in CONFIGURED.items():
        async with intake(known) as client:
            passed = set()
            for endpoint in ENDPOINTS:
                response = await client.request(endpoint.method, tried(endpoint), headers=bearer(secret))
                if response.status_code != 403:
                    passed.add(endpoint.right)
        reading = {right for right in RIGHTS if right.endswith(".read")}
        declared = {endpoint.right for endpoint in ENDPOINTS}
        expected = {
            "root": declared,
            "read_only": declared & {"ask", "status", "docs", "health", "metrics", *reading, None},
            "ping": {"health", None},
        }
        assert passed == expected[name]
    assert known.store.asked == []


@pytest.mark.parametrize("secret", ["", None])
async def test_an_empty_secret_is_no_token(make_client, secret):
    """A call that shows nothing is not root: the token does not exist, and as long as there is no other, tokens are not in use."""
    known = Known({"root": secret, "read_only": None, "ping": secret})
    assert not known.in_use and known.configured == ()
    for headers in (bearer(""), {"Authorization": "Bearer"}, {"Authorization": ""}):
        async with make_client(World(tokens=known), client=("10.0.0.9", 1)) as client:
            assert (await client.get("/tokens", headers=headers)).status_code in {401, 403}


async def test_anyone_on_this_machine_calls_as_long_as_there_is_no_token(make_client):
    """A token that is shown is looked up all the same: a client that sends one means it."""
    world = World(tokens=Known())
    async with make_client(world) as client:
        assert (await client.post("/commands/PlaceOrder", json=ORDER)).status_code == 202
        assert (await client.post("/commands/PlaceOrder", json=ORDER, headers=bearer("x"))).status_code == 401
    assert world.commands.envelopes[0].stamps == ()


# --- what travels -----------------------------------------------------------------------------------------------------


async def test_a_tokens_name_and_plugins_travel_with_what_it_sends(intake):
    """root switches on all plugins: that needs no word."""
    known = Known(CONFIGURED, shop={"rights": ("*",), "plugins": ("published",)}, bare={})
    async with intake(known) as client:
        for secret in ("shop", "bare", CONFIGURED["root"]):
            await client.post("/commands/PlaceOrder", json=ORDER, headers=bearer(secret))
        await client.get("/queries/Search?text=a", headers=bearer("shop"))
        line = b'{"type": "PlaceOrder", "data": {"order_id": "8", "lines": []}}'
        ndjson = {"Content-Type": "application/x-ndjson", **bearer("shop")}
        await client.post("/commands", content=line, headers=ndjson)
    sent = [envelope.stamps for envelope in client.world.commands.envelopes]
    shop = (Token("shop"), Plugins(("published",)))
    assert sent == [shop, (Token("bare"), Plugins(())), (Token("root"),), shop]
    assert client.world.queries.envelopes[0].stamps == shop


async def test_an_idempotency_key_is_its_tokens_own(intake):
    """Two tokens may use the same key for different bodies."""
    async with intake(a={}, b={}) as client:
        key = {"Idempotency-Key": "k"}
        first = await client.post("/commands/PlaceOrder", json=ORDER, headers={**key, **bearer("a")})
        other = {**ORDER, "order_id": "8"}
        second = await client.post("/commands/PlaceOrder", json=other, headers={**key, **bearer("b")})
    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json()["id"] != second.json()["id"]


async def test_who_pauses_is_named_by_the_token(intake):
    """The actor of a pause is the token's name."""
    async with intake(ops={"rights": ("consumers",)}) as client:
        await client.post("/consumers/pause", headers=bearer("ops"))
    assert client.world.commands.envelopes[0].actor == "ops"


# --- messages, referrers ----------------------------------------------------------------------------------------------


async def test_a_token_sends_and_asks_its_messages_only(intake):
    """A pattern or a name, an alias counts; the others are 403, and a line fails alone."""
    async with intake(shop={"messages": ("shop.*", "Sear?h")}) as client:
        headers = bearer("shop")
        assert (await client.post("/commands/PlaceOrder", json=ORDER, headers=headers)).status_code == 202
        refused = await client.post("/commands/CheckStock", json={"sku": "1"}, headers=headers)
        assert (refused.status_code, refused.json()["type"]) == (403, "urn:command-worker:problem:no-right")
        assert (await client.get("/queries/Search?text=a", headers=headers)).status_code == 200
        lines = b'{"type":"CheckStock","data":{"sku":"1"}}\n{"type":"PlaceOrder","data":{"order_id":"1","lines":[]}}'
        ndjson = {"Content-Type": "application/x-ndjson", **headers}
        answer = await client.post("/commands", content=lines, headers=ndjson)
        assert [line[:8] for line in answer.text.splitlines()] == ['{"error"', '{"id":"0']


@pytest.mark.parametrize(
    ("referer", "status"),
    [
        ("https://example.com/page", 202),
        ("https://a.b.shop.org:8443/x", 202),
        ("https://shop.org/", 403),
        ("https://evilshop.org/", 403),
        ("https://example.com.evil.org/", 403),
        ("https://evil.org/?https://example.com", 403),
        ("https://example.com@evil.org/", 403),
        ("http://[", 403),
        ("example.com", 403),
        (None, 403),
    ],
)
async def test_a_token_is_for_pages_of_its_hosts_only(intake, referer, status):
    """The host of the Referer counts, wherever else a name may stand in it."""
    async with intake(shop={"referrers": ("example.com", "*.shop.org")}) as client:
        headers = bearer("shop") | ({} if referer is None else {"Referer": referer})
        assert (await client.post("/commands/PlaceOrder", json=ORDER, headers=headers)).status_code == status


# --- attackers --------------------------------------------------------------------------------------------------------


async def test_several_authorization_headers_are_none(intake):
    """A proxy may look at another one than we would."""
    async with intake(shop={}, other={}) as client:
        headers = [("Authorization", "Bearer shop"), ("Authorization", "Bearer other")]
        response = await client.get("/openapi.json", headers=headers)
    assert response.status_code == 401


@pytest.mark.parametrize(
    "secret", [b"\xd0\xbf\xc3\xa9", b"shop\x00", b"x" * 100_000, b"shop shop", b"\xff\xfe", b"SHOP"]
)
async def test_strange_secrets_are_unknown(intake, secret):
    """Bytes that are no text, endless ones and near ones are 401, and nothing else happens."""
    async with intake(shop={}) as client:
        response = await client.get("/openapi.json", headers=[(b"Authorization", b"Bearer " + secret)])
    assert response.status_code == 401
    assert secret.decode("latin-1")[:20] not in response.text


async def test_the_scheme_is_read_as_the_standard_says(intake):
    """Its letters may be of any case, and more than one space may follow."""
    async with intake(shop={}) as client:
        for value in ("bearer shop", "BEARER   shop"):
            assert (await client.get("/openapi.json", headers={"Authorization": value})).status_code == 200


# --- /tokens ----------------------------------------------------------------------------------------------------------


async def test_a_new_token_shows_its_secret_once_and_sends_its_hash(intake):
    """What goes on to the bus, and from there to the database, has no secret in it."""
    async with intake(admin={"rights": ("tokens",)}) as client:
        answer = await client.put("/tokens", json={"id": "shop", "ttl": 5}, headers=bearer("admin"))
        listed = await client.get("/tokens", headers=bearer("admin"))
    secret = answer.json()["secret"]
    assert answer.status_code == 201
    assert (len(secret), answer.headers["cache-control"]) == (47, "no-store")
    sent = client.world.commands.envelopes[0]
    assert sent.secret_hash == digest_of(secret.encode()).hex()
    assert (sent.token.id, sent.token.ttl, sent.renew) == ("shop", 5, False)
    assert secret not in repr(sent)
    assert listed.json() == {"items": []}


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/id"),
        ({"id": "a b"}, "/id"),
        ({"id": "a\n"}, "/id"),
        ({"id": "a", "rights": ["fly"]}, "/rights/0"),
        ({"id": "a", "ttl": -1}, "/ttl"),
        ({"id": "a", "expires_at": "2027-01-01T00:00:00"}, "/expires_at"),
        ({"id": "a", "secret": "mine"}, "/secret"),
    ],
)
async def test_a_token_that_cannot_be_read_is_refused_by_its_members(intake, body, pointer):
    """422 with the pointer of each."""
    async with intake(admin={"rights": ("*",)}) as client:
        answer = await client.put("/tokens", json=body, headers=bearer("admin"))
    assert (answer.status_code, [one["pointer"] for one in answer.json()["errors"]]) == (422, [pointer])


async def test_changes_say_who_makes_them(make_client):
    """The handler learns the principal, so that no caller gives more rights than it has."""
    world = World(tokens=Known(admin={"rights": ("tokens",)}))
    dispatched = []
    bus = world.ports.messages.command_bus
    plain = bus.dispatch

    async def dispatch(message, *stamps, **known):
        dispatched.append(stamps)
        return await plain(message, *stamps, **known)

    bus.dispatch = dispatch
    async with make_client(world, client=("10.0.0.9", 1)) as client:
        assert (await client.delete("/tokens/shop", headers=bearer("admin"))).status_code == 204
        assert (await client.delete("/tokens/nope", headers=bearer("admin"))).status_code == 404
        assert (await client.delete("/tokens", headers=bearer("admin"))).status_code == 204
    for stamps in dispatched:
        assert stamps[0] == Token("admin")
        [by] = [stamp for stamp in stamps if isinstance(stamp, SentBy)]
        assert by.principal.id == "admin"


async def test_answers_to_get_queries_may_be_kept_as_the_token_says(intake):
    """ttl; with 0, limits or referrers not at all; no longer than the token holds."""
    soon = at_utc("2026-02-02T02:40:30Z")
    async with intake(
        a={}, b={"ttl": 5}, c={"ttl": 0}, d={"limits": ("1K/h",)}, e={"expires_at": soon},
        f={"referrers": ("example.com",)},
    ) as client:  # fmt: skip
        seen = {}
        for name in "abcdef":
            headers = bearer(name) | {"Referer": "https://example.com/"}
            answer = await client.get("/queries/Search?text=a", headers=headers)
            assert "Authorization" in answer.headers["vary"]
            seen[name] = answer.headers["cache-control"]
    assert seen == {
        "a": "public, max-age=60, s-maxage=60",
        "b": "public, max-age=5, s-maxage=5",
        "c": "private, max-age=0",
        "d": "private, max-age=0",
        "e": "public, max-age=30, s-maxage=30",
        "f": "private, max-age=0",
    }


async def test_what_is_not_said_of_a_scope_is_all_that_the_token_reaches(make_client):
    """Also where the type requires the field: in a body, a line and a query string. Without a token it stays missing."""
    app = App("shop")
    app.command(scopes={"index": "index", "tag": "tags"})(Index)
    app.query(scopes={"index": "index"})(Ask)

    @app.handler
    async def index(command: Index): ...

    @app.handler
    async def ask(query: Ask): ...

    registry = app.registry()
    commands, queries = FakeBus(registry), FakeBus(registry)
    scopes = {"index": ("a", "b"), "tag": ("x",)}
    known = Known(shop={"scopes": scopes}, all={})
    world = World(
        tokens=known, registry=registry, command_bus=commands, query_bus=queries, inline=lambda _: False
    )
    async with make_client(world, client=("10.0.0.9", 1), headers=bearer("shop")) as client:
        answers = [
            await client.post("/commands/Index", json={}),
            await client.post("/commands/Index", json={"index": "*", "tags": []}),
            await client.post("/commands", content=b'{"type":"Index","data":{"tags":["x"]}}', headers=NDJSON),
            await client.get("/queries/Ask"),
            await client.post("/queries/Ask", json={}),
            await client.get("/queries/Ask?index=b"),
        ]
        assert [one.status_code for one in answers] == [202, 202, 202, 200, 200, 200]
        assert (await client.post("/commands/Index", json={"index": 1})).status_code == 422
        assert (await client.get("/queries/Ask?index=b&index=c")).status_code == 422
        assert (await client.get("/queries/Ask?index=c")).status_code == 403
        assert (await client.post("/commands/Index", json={}, headers=bearer("all"))).status_code == 422
    assert [envelope.message for envelope in commands.envelopes] == [Index("a,b", ["x"])] * 3
    assert [envelope.message.index for envelope in queries.envelopes] == ["a,b", "a,b", "b"]


@pytest.fixture
async def strict(make_client):
    """A client of types that have no value for all that there is; its tokens: ``one``, ``two``, ``none``."""
    app = App("shop")
    app.command(scopes={"index": "index_name", "tag": "tags"}, aliases=["Stern"])(Strict)
    app.query(scopes={"index": "index", "tag": "tags"})(StrictAsk)

    @app.handler
    async def take(command: Strict): ...

    @app.handler
    async def ask(query: StrictAsk): ...

    registry = app.registry()
    commands, queries = FakeBus(registry), FakeBus(registry)
    scopes = {name: {"index": tuple(name), "tag": ("x", "y")} for name in ("a", "ab")}
    known = Known(
        one={"scopes": scopes["a"]},
        two={"scopes": scopes["ab"]},
        none={"scopes": {"index": (), "tag": ("x",)}},
    )
    world = World(
        tokens=known, registry=registry, command_bus=commands, query_bus=queries, inline=lambda _: False
    )
    client = make_client(world, client=("10.0.0.9", 1))
    client.commands, client.queries = commands.envelopes, queries.envelopes
    return client


EVERYTHING = [
    {},
    {"indexName": "*"},
    {"indexName": ""},
    {"indexName": None, "tags": []},
    {"tags": ["*"]},
    {"tags": None},
]


@pytest.mark.parametrize("data", EVERYTHING, ids=json.dumps)
async def test_everything_is_narrowed_before_it_has_to_fit_its_type(strict, data):
    """A type without a value for everything takes a missing, an empty one and ``*``: it sees what the token reaches."""
    packed = {"Content-Type": "application/msgpack", **bearer("one")}
    line = json.dumps({"type": "Stern", "data": data}).encode()
    async with strict as client:
        answers = [
            await client.post("/commands/Strict", json=data, headers=bearer("one")),
            await client.post("/commands/Stern", content=msgspec.msgpack.encode(data), headers=packed),
            await client.post("/commands", content=line, headers={**NDJSON, **bearer("one")}),
        ]
    assert [one.status_code for one in answers] == [202, 202, 202], [one.text for one in answers]
    assert [one.message for one in client.commands] == [Strict("a", ["x", "y"])] * 3


@pytest.mark.parametrize(
    "query", ["", "index=", "index=*", "tags=", "tags=*", "index=a&tags=*", "index=*&tags="]
)
async def test_a_query_string_that_means_everything_is_narrowed_first(strict, query):
    """As a body is."""
    async with strict as client:
        answer = await client.get(f"/queries/StrictAsk?{query}", headers=bearer("one"))
    assert answer.status_code == 200, answer.text
    assert client.queries[0].message == StrictAsk("a", ["x", "y"])


async def test_narrowing_lets_nothing_pass_that_does_not_fit(strict):
    """What several values are for a field of one, what lies outside, what is wrong elsewhere; a token that reaches nothing."""
    async with strict as client:

        async def tried(data, secret):
            return (await client.post("/commands/Strict", json=data, headers=bearer(secret))).status_code

        assert await tried({"tags": ["x"]}, "two") == 422
        assert await tried({"indexName": "b", "tags": ["x"]}, "two") == 202
        assert await tried({"indexName": "b", "tags": ["x"]}, "one") == 403
        assert await tried({"indexName": "a", "tags": ["z"]}, "one") == 403
        assert await tried({"indexName": {"a": 1}}, "one") == 422
        assert await tried([], "one") == 422
        assert await tried({}, "none") == 403
        assert await tried({"indexName": "a", "tags": ["x"]}, "none") == 403
        line = b'{"type":"Strict","data":{}}'
        answer = await client.post("/commands", content=line, headers={**NDJSON, **bearer("none")})
        assert json.loads(answer.text)["error"]["status"] == 403
        assert (await client.get("/queries/StrictAsk", headers=bearer("none"))).status_code == 403
        wrong = await client.post("/commands/Strict", json={"more": 1}, headers=bearer("one"))
        assert [fault["pointer"] for fault in wrong.json()["errors"]] == ["/more"]


async def test_what_a_limit_refuses_is_429_with_the_time_to_wait(make_client):
    """Whatever it is that was one too many; a line fails alone, and a repeat of a key counts once."""
    left = {"shop": 2}

    class Limited(Known):
        async def spend(self, principal):
            if not left[principal.id]:
                raise LimitReached("token 'shop' has reached its limit of 2/s", 0.2)
            left[principal.id] -= 1

    world = World(tokens=Limited(shop={"limits": ("2/s",)}))
    async with make_client(world, client=("10.0.0.9", 1), headers=bearer("shop")) as client:
        for _ in range(3):
            repeated = await client.post("/commands/PlaceOrder", json=ORDER, headers={"Idempotency-Key": "k"})
            assert repeated.status_code == 202
        assert left == {"shop": 1}
        line = b'{"type":"PlaceOrder","data":{"order_id":"1","lines":[]}}\n'
        answer = await client.post(
            "/commands", content=b'{"type":"Nope","data":{}}\n' + line + line, headers=NDJSON
        )
        assert answer.status_code == 202
        assert [json.loads(one).get("error", {}).get("status") for one in answer.text.splitlines()] == [
            404,
            None,
            429,
        ]
        refused = await client.get("/queries/Search?text=a")
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
        assert refused.json()["type"] == "urn:command-worker:problem:limit-reached"
        assert (await client.get("/commands/0194b9a0-0000-7000-8000-000000000001")).status_code == 404
