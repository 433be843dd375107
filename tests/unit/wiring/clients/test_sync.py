"""The sync client: the same for code without a loop, in any threads, over forks, until the process ends."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session

from tests.unit.wiring.clients.shop import Find, PlaceOrder, Touch, settings, shop
from worker import App, Client, InvalidMessage, NotFound, Sent, UsageError

ROOT = Path(__file__).parents[4]


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Any]:
    with Client.sync(shop(), settings(tmp_path)) as opened:
        yield opened


def test_it_does_what_the_client_does(client: Any) -> None:
    """Sends, many too, asks and looks; errors are the same."""
    envelope = client.send(PlaceOrder("7"), delay=60)
    assert envelope.get(Sent) == Sent("here", "shop-place-order")
    assert len(client.send_many(PlaceOrder(str(number)) for number in range(5))) == 5
    assert client.ask(Find("lamp")) == "LAMP"
    assert client.status(envelope.id).status == "accepted"
    with pytest.raises(NotFound):
        client.status("0190f5a1-7b60-7c3e-8f3a-2f6a4c1f9d10")
    with pytest.raises(InvalidMessage, match="/order_id"):
        client.send(PlaceOrder(7))
    with pytest.raises(LookupError):
        client.send(Touch(-1))
    with pytest.raises(UsageError, match="expected an App"):
        Client.sync("shop")  # type: ignore[arg-type]


def test_nothing_is_opened_before_the_first_call(tmp_path: Path) -> None:
    """A module may make it; its context's end closes it for good, or until it is entered again."""
    client = Client.sync(shop(), settings(tmp_path))
    assert not (tmp_path / "worker.db").exists()
    assert not [thread for thread in threading.enumerate() if thread.name == "worker-client"]
    client.send(PlaceOrder("1"))
    with client:
        client.send(PlaceOrder("2"))
    assert not [thread for thread in threading.enumerate() if thread.name == "worker-client"]
    with pytest.raises(UsageError, match="closed"):
        client.send(PlaceOrder("3"))
    with client:
        client.send(PlaceOrder("4"))


def test_threads_share_batches(client: Any) -> None:
    """What many threads send at the same time is published together."""
    client.send(PlaceOrder("0"))
    transport = client._thread.desk.service.brokers.transports["here"]
    sizes: list[int] = []
    publish = transport.publish

    async def counted(batch: Any) -> Any:
        sizes.append(len(batch))
        return await publish(batch)

    transport.publish = counted
    with ThreadPoolExecutor(32) as threads:
        found = list(threads.map(lambda number: client.send(PlaceOrder(str(number))), range(640)))
    assert len({envelope.id for envelope in found}) == sum(sizes) == 640
    assert len(sizes) < 640


def test_a_handler_that_calls_its_own_client_is_told(tmp_path: Path) -> None:
    """It would wait for itself."""
    app = App("shop")
    app.command(transport="inline")(Touch)
    client = Client.sync(app, settings(tmp_path))

    @app.handler
    async def touch(command: Touch) -> None:
        client.send(Touch(1))

    with client, pytest.raises(UsageError, match=r"context\.dispatch"):
        client.send(Touch())


def test_a_session_is_used_in_the_thread_that_gave_it(tmp_path: Path, client: Any) -> None:
    """Its commit sends, its rollback does not; a session that needs a loop is refused."""
    client.send(Touch())  # makes the tables
    engine = create_engine(f"sqlite:///{tmp_path}/worker.db")
    threads: set[int] = set()
    with Session(engine) as session:
        connection = session.connection
        session.connection = lambda *given, **more: (  # type: ignore[method-assign]
            threads.add(threading.get_ident()),
            connection(*given, **more),
        )[1]
        client.send(PlaceOrder("1"), session=session)
        session.rollback()
        kept = client.send(PlaceOrder("2"), session=session)
        client.send_many([PlaceOrder("3")], session=session)
        assert session.execute(text("SELECT count(*) FROM worker_outbox")).scalar() == 2
        session.commit()
    assert threads == {threading.get_ident()}
    engine.dispose()
    service = client._thread.desk.service
    until = time.monotonic() + 30
    while service.sending.relay and client.status(kept.id).queue and not _empty(tmp_path):
        assert time.monotonic() < until
        time.sleep(0.01)
    loopy = create_async_engine(f"sqlite+aiosqlite:///{tmp_path}/worker.db")
    with pytest.raises(UsageError, match="needs the loop"):
        client.send(PlaceOrder("1"), session=AsyncSession(loopy))


def _empty(folder: Path) -> bool:
    engine = create_engine(f"sqlite:///{folder}/worker.db")
    with engine.connect() as connection:
        found = connection.execute(text("SELECT count(*) FROM worker_outbox")).scalar()
    engine.dispose()
    return found == 0


PROGRAM = """
import os, sys, threading, time
from pathlib import Path
from tests.unit.wiring.clients.shop import PlaceOrder, settings, shop
from worker import Client

folder = Path(sys.argv[1])
client = Client.sync(shop(), settings(folder, *sys.argv[2:]))
"""

FORKS = """
client.send(PlaceOrder("parent"))
stop = threading.Event()
sent = []
def load():
    while not stop.is_set():
        sent.append(client.send(PlaceOrder("thread")).id)
thread = threading.Thread(target=load)
thread.start()
children = []
for number in range(3):
    child = os.fork()
    if child == 0:
        client.send(PlaceOrder(f"child {number}"))
        grandchild = os.fork()
        client.send(PlaceOrder(f"child {number} {grandchild == 0}"))
        if grandchild:
            assert os.waitpid(grandchild, 0)[1] == 0
        sys.exit(0)
    children.append(child)
assert [os.waitpid(child, 0)[1] for child in children] == [0, 0, 0]
stop.set()
thread.join()
client.send(PlaceOrder("parent"))
print(len(sent))
"""

EXITS = """
begun = threading.Event()
client.send(PlaceOrder("0"))
def load():
    begun.set()
    client.send_many(PlaceOrder(str(number)) for number in range(1500))
threading.Thread(target=load, daemon=True).start()
begun.wait()
while client._thread._none_open.is_set():
    time.sleep(0.001)
"""

NAMES = """
client.send(PlaceOrder("0"))
transport = client._thread.desk.service.brokers.transports["here"]
entered = threading.Event()
async def never(batch):
    import asyncio
    entered.set()
    await asyncio.sleep(3600)
transport.publish = never
import worker.wiring.clients.sync, msgspec
worker.wiring.clients.sync.GRACE = 0.1
thread = client._thread.desk.service.process
msgspec.structs.force_setattr(thread.settings.worker, "graceful_timeout", 0.1)
threading.Thread(target=lambda: client.send(PlaceOrder("1"), id=sys.argv[1].rpartition("/")[2]), daemon=True).start()
entered.wait()
"""


def run(program: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM + program, *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )


def queued(folder: Path) -> int:
    engine = create_engine(f"sqlite:///{folder}/queue.db")
    with engine.connect() as connection:
        (table,) = connection.execute(
            text("SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE '%messages'")
        ).scalars()
        found = connection.execute(text(f"SELECT count(*) FROM {table}")).scalar()
    engine.dispose()
    return int(found or 0)


@pytest.mark.slow
def test_it_survives_forks_while_threads_send(tmp_path: Path) -> None:
    """Parent, children and their children send on, each by connections of its own; nothing hangs, nothing is lost."""
    done = run(FORKS, tmp_path)
    assert done.returncode == 0, done.stderr
    assert queued(tmp_path) == int(done.stdout) + 2 + 3 * 3


@pytest.mark.slow
def test_the_end_of_the_process_waits_until_everything_is_confirmed(tmp_path: Path) -> None:
    """What a thread has begun to send is confirmed, though the program does not wait for the thread."""
    done = run(EXITS, tmp_path)
    assert done.returncode == 0, done.stderr
    assert queued(tmp_path) == 1501


def test_the_end_of_the_process_names_what_is_not_confirmed(tmp_path: Path) -> None:
    """A broker that never answers: the message is named, and the process ends all the same."""
    id = "0190f5a1-7b60-7c3e-8f3a-2f6a4c1f9d10"
    (tmp_path / id).mkdir()
    done = run(NAMES, tmp_path / id)
    assert done.returncode == 0, done.stderr
    assert f"PlaceOrder {id}" in done.stdout + done.stderr
