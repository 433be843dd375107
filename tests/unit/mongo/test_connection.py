"""The connection to MongoDB: faults at start, and outages that are bounded and named."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest

from tests.brokers import ports
from tests.proxy.proxy import Proxy
from worker.errors import ConfigurationError, DatabaseUnavailable
from worker.mongo.connection import opened_documents
from worker.mongo.store import DocumentStore
from worker.resources.documents import Documents
from worker.resources.resource import Resource
from worker.resources.stores import Ordered, Wanted


class Thing(msgspec.Struct):
    id: str
    name: str = ""


@pytest.fixture
def proxy(mongo_url: str) -> Iterator[Proxy]:
    with Proxy(urlsplit(mongo_url).port or 27017) as made:
        yield made


def things_in(connection: Any) -> tuple[DocumentStore, Resource]:
    async def keep(_parcels: Any) -> None:
        raise AssertionError("nothing is sent here")

    store = DocumentStore(connection, Documents("things"), keep)
    return store, Resource(name="Thing", cls=Thing, path="/t", shape=store.shape(Thing, "id"), store=store)


@pytest.mark.parametrize(
    "url",
    [
        "mongodb://u:geheim@h:port/x",
        "mongodb://u:ge/heim@h/x",
        "mongodb://",
        "mongodb://u:geheim@h/x?unknownOption=wrong",
        "mongodb://u:geheim@h/x?connectTimeoutMS=wrong",
        "mongodb://u:geheim@h/x?authMechanism=wrong",
    ],
)
async def test_an_address_that_cannot_be_read_is_a_fault_without_its_secrets(url: str) -> None:
    with pytest.raises(ConfigurationError, match="expected mongodb://user") as raised:
        async with opened_documents(url, 0.2):
            pass
    assert "heim" not in str(raised.value) and raised.value.__cause__ is None


async def test_a_missing_client_is_a_fault_that_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pymongo", None)
    with pytest.raises(ConfigurationError, match=r"command-worker\[mongo\]"):
        async with opened_documents("mongodb://h/x", 0.2):
            pass


@pytest.mark.usefixtures("unclosed_sockets")
async def test_a_server_that_is_not_there_is_an_outage_in_time() -> None:
    async with asyncio.timeout(20):
        with pytest.raises(DatabaseUnavailable) as raised:
            async with opened_documents(f"mongodb://u:geheim@127.0.0.1:{ports.choose()}/x", 0.3):
                pass
    assert "u:***@127.0.0.1" in str(raised.value) and "geheim" not in str(raised.value)


async def test_a_url_without_a_name_means_a_database_of_the_worker_s(mongo_url: str) -> None:
    async with opened_documents(mongo_url.rpartition("/")[0], 10.0) as connection:
        assert connection.database.name == "worker"


async def test_the_line_may_break_and_come_back(mongo_url: str, proxy: Proxy) -> None:
    name = mongo_url.rpartition("/")[2]
    url = f"mongodb://127.0.0.1:{proxy.port}/{name}?retryWrites=false"
    async with opened_documents(url, 1.0, seconds=2.0) as connection:
        store, things = things_in(connection)

        async def create(id: str) -> None:
            async with store.work(read_only=False) as work:
                await work.persist(things, Thing(id=id), created=True)
                await work.commit()

        await create("1")
        proxy.freeze()
        async with asyncio.timeout(30):
            with pytest.raises(DatabaseUnavailable):
                async with store.work(read_only=True) as work:
                    await work.find(things, {"id": "1"})
            with pytest.raises(DatabaseUnavailable) as raised:
                await create("2")
        assert not raised.value.told or "not known" in raised.value.told
        proxy.clear()
        proxy.refuse()
        async with asyncio.timeout(30):
            with pytest.raises(DatabaseUnavailable):
                await create("3")
        proxy.accept()
        async with asyncio.timeout(30):
            while True:
                try:
                    async with store.work(read_only=True) as work:
                        page = await work.page(things, Wanted(order=(Ordered("id"),)))
                        break
                except DatabaseUnavailable:
                    await asyncio.sleep(0.05)
        assert {item.id for item in page.items} <= {"1", "2"} and page.total >= 1


async def test_a_change_on_a_silent_line_says_that_nobody_knows(mongo_url: str, proxy: Proxy) -> None:
    name = mongo_url.rpartition("/")[2]
    url = f"mongodb://127.0.0.1:{proxy.port}/{name}?retryWrites=false"
    async with opened_documents(url, 5.0, seconds=2.0) as connection:
        store, things = things_in(connection)
        async with store.work(read_only=False) as work:
            await work.persist(things, Thing(id="1"), created=True)
            proxy.freeze()
            async with asyncio.timeout(30):
                with pytest.raises(DatabaseUnavailable) as raised:
                    await work.persist(things, Thing(id="2"), created=True)
        assert raised.value.unknown and "not known" in (raised.value.told or "")
