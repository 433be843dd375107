"""Tokens in a whole service in memory: changed by messages, announced by events, and kept to what their sender has."""

from __future__ import annotations

from datetime import datetime

import msgspec
import pytest

from worker import (
    AddToken,
    App,
    Context,
    DeleteToken,
    DeleteTokens,
    GetTokens,
    Token,
    TokenDocument,
    TokensWereDeleted,
    TokenWasAdded,
    TokenWasDeleted,
)
from worker.errors import Forbidden, Guarded, InvalidMessage, NotFound
from worker.messaging.stamps import Plugins, SentBy
from worker.settings import Settings, TokensSettings, TransportSettings
from worker.settings.model import DatabaseSettings
from worker.testing import TestWorker
from worker.tokens.document import KnownToken
from worker.tokens.principal import principal_of
from worker.tokens.secret import hash_of
from worker.wiring.service import opened

A, B = hash_of("a" * 40), hash_of("b" * 40)
seen: list[tuple[str, str | None, tuple[str, ...] | None]] = []

app = App("shop", plugins=["published"])


@app.command
class Restock(msgspec.Struct, frozen=True):
    """Has a handler that sends another command and records an event."""


@app.command
class Count(msgspec.Struct, frozen=True):
    """What the handler sends."""


@app.event
class Restocked(msgspec.Struct, frozen=True):
    """What the handler records."""


def note(name: str, context: Context) -> None:
    plugins = context.envelope.get(Plugins)
    seen.append((name, context.token, plugins.names if plugins else None))


@app.middleware(plugin="published", messages=[Restock])
async def published(envelope, call_next):
    return await call_next(envelope)


@app.handler
async def restock(command: Restock, context: Context) -> None:
    note("Restock", context)
    context.dispatch(Count())
    context.record(Restocked())


@app.handler
async def count(command: Count, context: Context) -> None:
    note("Count", context)


@app.subscriber
async def restocked(event: Restocked, context: Context) -> None:
    note("Restocked", context)


@app.subscriber
async def added(event: TokenWasAdded, context: Context) -> None:
    note(f"added {event.id}", context)


@app.subscriber
async def deleted(event: TokenWasDeleted, context: Context) -> None:
    note(f"deleted {event.id}", context)


@app.subscriber
async def all_deleted(event: TokensWereDeleted, context: Context) -> None:
    note("all deleted", context)


@pytest.fixture(autouse=True)
def nothing_seen():
    seen.clear()


def by(**members):
    token = KnownToken(id="admin", **members)
    return SentBy(principal_of(token, token.plugins, lambda name, plugins: ()))


async def test_changes_of_tokens_are_told_by_events():
    """Each by its own, once, and not where nothing changed; they carry who asked for it."""
    async with TestWorker(app) as worker:
        await worker.send(AddToken(TokenDocument(id="shop", plugins=("published",)), A), Token("admin"))
        await worker.send(DeleteToken("shop"))
        with pytest.raises(NotFound):
            await worker.send(DeleteToken("shop"))
        await worker.send(DeleteTokens())
        await worker.run_until_idle()
    assert seen == [("added shop", "admin", None), ("deleted shop", None, None), ("all deleted", None, None)]


@pytest.mark.parametrize("events", ["inline", "ignore"])
async def test_events_of_tokens_go_the_way_of_all_events(events):
    """Heard at once, or not at all."""
    async with TestWorker(app, events=events) as worker:
        await worker.send(AddToken(TokenDocument(id="shop"), A))
    assert [name for name, *_ in seen] == ([] if events == "ignore" else ["added shop"])


async def test_tokens_are_asked_for_by_a_query():
    """Without secrets and their hashes."""
    async with TestWorker(app) as worker:
        await worker.send(AddToken(TokenDocument(id="shop", rights=("ask",)), A))
        found = await worker.query(GetTokens())
    assert [(one.id, one.rights) for one in found.items] == [("shop", ("ask",))]
    assert A not in msgspec.json.encode(found).decode()


async def test_a_sender_gives_renews_and_removes_nothing_beyond_itself():
    """Not by replacing what stands there, either; all of them stay where one is beyond."""
    admin = by(rights=("tokens", "send"))
    async with TestWorker(app) as worker:
        await worker.send(AddToken(TokenDocument(id="high", rights=("*",)), A))
        for command in (
            AddToken(TokenDocument(id="new", rights=("ask",)), B),
            AddToken(TokenDocument(id="high", rights=("send",)), B),
            DeleteToken("high"),
            DeleteTokens(),
        ):
            with pytest.raises(Forbidden, match="goes beyond token 'admin' in rights"):
                await worker.send(command, admin)
        await worker.send(AddToken(TokenDocument(id="low", rights=("send",)), B), admin)
        await worker.send(DeleteToken("low"), admin)
        assert [one.id for one in (await worker.query(GetTokens())).items] == ["high"]
        await worker.run_until_idle()
    assert sorted(name for name, *_ in seen) == ["added high", "added low", "deleted low"]


async def test_what_cannot_be_meant_is_refused_however_it_was_made():
    """A document made in Python is looked at as one that was read."""
    async with TestWorker(app) as worker:
        for token, secret_hash, pointers in (
            (TokenDocument(id="a b", rights=("fly",)), A, ["/token"]),
            (TokenDocument(id="a", plugins=("nope",), scopes={"i": ("*",)}), A, ["/token/scopes/i/0", "/token/plugins/0"]),
            (TokenDocument(id="a", limits=("lots",)), "secret", ["/token/limits/0", "/secret_hash"]),
        ):  # fmt: skip
            with pytest.raises(InvalidMessage) as refused:
                await worker.send(AddToken(token, secret_hash))
            assert [fault.pointer for fault in refused.value.faults] == pointers
        for name in ("root", "read_only", "ping"):
            with pytest.raises(Guarded, match=name):
                await worker.send(AddToken(TokenDocument(id=name), A))


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
async def test_a_time_that_utc_does_not_have_is_refused(time):
    """It can be read, and not be kept."""
    token = TokenDocument(id="shop", expires_at=datetime.fromisoformat(time))
    async with TestWorker(app) as worker:
        with pytest.raises(InvalidMessage) as caught:
            await worker.send(AddToken(token, A))
    assert [fault.pointer for fault in caught.value.faults] == ["/token/expires_at"]


async def test_configured_tokens_are_shown_and_cannot_be_removed(tmp_path):
    """They stand in the settings, and are in use from the start, for good."""
    settings = Settings(
        database=DatabaseSettings(url=f"sqlite:///{tmp_path}/state.db"),
        transports={"memory": TransportSettings(url="memory://")},
        routing={"*": "memory"},
        tokens=TokensSettings(root="r" * 16, ping=""),
    )
    async with opened(settings, app.registry()) as service:
        assert service.tokens.in_use
        assert [one.id for one in await service.tokens.all()] == ["root"]
        with pytest.raises(Guarded, match=r"tokens\.root"):
            await service.buses.dispatch["command"].dispatch(DeleteToken("root"))
        await service.tokens.store.mark_in_use()
    without = msgspec.structs.replace(settings, tokens=TokensSettings())
    async with opened(without, app.registry()) as service:
        assert service.tokens.in_use
        assert list(await service.tokens.all()) == []


async def test_what_a_handler_sends_carries_its_causes_token():
    """Name and plugins, as they were when it was sent, in the worker, too; also where the token is gone meanwhile."""
    async with TestWorker(app) as worker:
        await worker.send(Restock(), Token("shop"), Plugins(("published",)))
        await worker.send(Restock())
        await worker.run_until_idle()
    shop, none = ("shop", ("published",)), (None, None)
    assert sorted(seen, key=str) == sorted(
        [(name, *who) for who in (shop, none) for name in ("Restock", "Count", "Restocked")], key=str
    )
