"""What a process knows of secrets: for a while, in bounds, and at little cost to the database."""

import asyncio

import pytest

from worker.errors import DatabaseUnavailable
from worker.tokens import known as room
from worker.tokens.configured import configured
from worker.tokens.document import KnownToken
from worker.tokens.known import KnownTokens
from worker.tokens.secret import hash_of
from worker.tokens.store import Held


class Store:
    """Tokens by the hash of their secret; counts what is asked."""

    def __init__(self, *names):
        self.tokens = {hash_of(name): KnownToken(id=name) for name in names}
        self.asked = []
        self.noted = {}
        self.fails = None
        self.gate = asyncio.Event()
        self.gate.set()

    async def in_use(self):
        return bool(self.tokens)

    async def find(self, hashes):
        self.asked.append(list(hashes))
        await self.gate.wait()
        if self.fails is not None:
            raise self.fails
        return [Held(self.tokens[one], one) for one in hashes if one in self.tokens]

    async def used(self, times):
        if self.fails is not None:
            raise self.fails
        self.noted |= times


class Time:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def time():
    return Time()


@pytest.fixture
def make(time):
    def make(store, seconds=2.0, secrets=None):
        return KnownTokens(
            store, configured(secrets or {}), seconds, lambda name, plugins: (name,), time, time
        )

    return make


async def test_what_is_known_holds_for_some_seconds(make, time):
    """One question within them, whatever is shown how often; a removed token ends with them."""
    store = Store("shop")
    known = make(store)
    first = await known.find(b"shop")
    for _ in range(5):
        assert await known.find(b"shop") is first
        assert await known.find(b"nope") is None
    assert len(store.asked) == 2
    store.tokens.clear()
    time.now += 1.9
    assert await known.find(b"shop") is first
    time.now += 0.1
    assert await known.find(b"shop") is None


async def test_what_is_known_is_as_old_as_the_question(make, time):
    """An answer that took its time is believed for so much less: the token may be gone since it was looked up."""
    store = Store("shop")
    known = make(store)
    store.gate.clear()
    asking = asyncio.create_task(known.find(b"shop"))
    while not store.asked:
        await asyncio.sleep(0)
    time.now += 1.5
    store.gate.set()
    found = await asking
    assert found is not None and found.id == "shop"
    store.tokens.clear()
    time.now += 0.4
    assert known.at_hand(b"shop") is not None
    time.now += 0.2
    assert known.at_hand(b"shop") is None
    assert await known.find(b"shop") is None


async def test_a_token_that_is_as_it_was_stays_the_same_principal(make, time):
    """What was found out about it stays, too; a changed one is another."""
    store = Store("shop")
    known = make(store)
    first = await known.find(b"shop")
    time.now += 3
    assert await known.find(b"shop") is first
    store.tokens[hash_of("shop")] = KnownToken(id="shop", rights=())
    time.now += 3
    assert (await known.find(b"shop")).granted == frozenset()


async def test_what_is_changed_here_is_known_here_at_once(make):
    """After a change through this process no call goes by the cache, also not for a token that was being looked up."""
    store = Store("shop")
    known = make(store)
    await known.find(b"shop")
    await known.find(b"late")
    store.tokens = {hash_of("late"): KnownToken(id="late")}
    known.forget()
    assert await known.find(b"shop") is None
    assert (await known.find(b"late")).id == "late"
    store.gate.clear()
    known.forget()
    looking = asyncio.create_task(known.find(b"late"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    store.tokens.clear()
    known.forget()
    store.gate.set()
    await looking
    assert await known.find(b"late") is None


async def test_those_who_try_secrets_share_one_question(make, monkeypatch):
    """However many try at once, one statement is under way; and what they try pushes out no token."""
    monkeypatch.setattr(room, "ROOM", 50)
    store = Store("shop")
    known = make(store)
    await known.find(b"shop")
    store.gate.clear()
    tries = [asyncio.create_task(known.find(b"try %d" % number)) for number in range(1200)]
    for _ in range(5):
        await asyncio.sleep(0)
    assert len(store.asked) == 2
    store.gate.set()
    assert await asyncio.gather(*tries) == [None] * 1200
    assert len(store.asked) <= 2 + 1200 // room.BATCH + 1
    asked = len(store.asked)
    assert (await known.find(b"shop")).id == "shop"
    assert len(store.asked) == asked
    assert len(known._none) == 50


async def test_a_caller_who_goes_away_ends_nobodys_question(make):
    """The others get their answer."""
    store = Store("shop")
    store.gate.clear()
    known = make(store)
    first, second = (asyncio.create_task(known.find(b"shop")) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.sleep(0)
    store.gate.set()
    assert (await second).id == "shop"


async def test_an_outage_is_told_and_nothing_is_remembered_of_it(make):
    """Tokens that were looked up go on meanwhile, those of the settings always; the next call asks again."""
    store = Store("shop", "mail")
    known = make(store, secrets={"root": "r" * 16})
    await known.find(b"shop")
    store.fails = DatabaseUnavailable("down")
    assert (await known.find(b"shop")).id == "shop"
    assert (await known.find(b"r" * 16)).id == "root"
    with pytest.raises(DatabaseUnavailable):
        await known.find(b"mail")
    store.fails = None
    assert (await known.find(b"mail")).id == "mail"


async def test_with_no_cache_each_call_asks(make):
    """Nothing that was known is believed."""
    store = Store("shop")
    known = make(store, seconds=0.0)
    for _ in range(3):
        await known.find(b"shop")
    assert len(store.asked) == 3


async def test_when_a_token_was_used_is_noted_later_and_not_lost(make, time):
    """Not with each call; what an outage kept from being noted is noted after it."""
    store = Store("shop")
    known = make(store)
    await known.find(b"shop")
    store.fails = DatabaseUnavailable("down")
    with pytest.raises(DatabaseUnavailable):
        await known.note()
    store.fails = None
    await known.note()
    assert store.noted == {"shop": 100.0}


async def test_tokens_that_others_store_are_seen(make):
    """In use from then on, for good."""
    store = Store()
    known = make(store)
    await known.look()
    assert not known.in_use
    store.tokens[hash_of("shop")] = KnownToken(id="shop")
    await known.look()
    assert known.in_use
    store.tokens.clear()
    await known.look()
    assert known.in_use
