"""The client: what Python code sends, asks and looks at."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog

from tests.unit.wiring.clients.shop import Find, OrderPlaced, PlaceOrder, Touch, Unheard, settings, shop
from worker import (
    Client,
    ConfigurationError,
    InvalidMessage,
    NotFound,
    PublishFailed,
    Sent,
    Stamp,
    TransportUnavailable,
    UnknownType,
    UsageError,
)
from worker.messaging.transport import ACCEPTED, Outcome, OutcomeKind
from worker.runtime.options import ConsumeOptions
from worker.wiring.clients import desk
from worker.wiring.consuming import make_consumers

ID = "0190f5a1-7b60-7c3e-8f3a-2f6a4c1f9d10"


class Region(Stamp):
    value: str


async def handle_all(client: Client) -> None:
    """Consume in the client's own service until its queues are empty."""
    service = client._desk.service
    assert service is not None
    consumers = make_consumers(service, ConsumeOptions(burst=True, graceful_timeout=5.0))
    await consumers.control.look()
    await consumers.worker.run(5.0, burst=True)
    await consumers.close()


async def test_what_is_sent_is_handled_by_a_worker(tmp_path: Path) -> None:
    """``send`` returns the envelope, which waits on its queue with all that was said about it; then a worker has it."""
    seen: list[Any] = []
    async with Client(shop(seen), settings(tmp_path)) as client:
        envelope = await client.send(PlaceOrder("7"), Region("north"), key="k", id=ID, correlation_id="c")
        assert envelope.get(Sent) == Sent("here", "shop-place-order")
        assert (envelope.id, envelope.key, envelope.correlation_id) == (ID, "k", "c")
        assert envelope.get(Region) == Region("north")
        assert (await client.send(PlaceOrder("8"))).key == "8"
        assert (await client.status(ID)).status == "accepted"
        await client.send(OrderPlaced("7"))
        await handle_all(client)
        assert (await client.status(ID, wait=20)).status == "done"
    assert sorted(seen, key=repr) == [OrderPlaced("7"), PlaceOrder("7"), PlaceOrder("8")]


async def test_an_event_that_nobody_hears_is_not_sent(tmp_path: Path) -> None:
    """An event without subscribers has no queue: its envelope says that it was not sent."""
    async with Client(shop(), settings(tmp_path)) as client:
        assert (await client.send(Unheard())).get(Sent) is None


async def test_a_delay_is_seconds_or_a_timedelta(tmp_path: Path) -> None:
    """A delayed message waits; ``delay=`` takes both, and none where the command is handled at once."""
    seen: list[Any] = []
    async with Client(shop(seen), settings(tmp_path)) as client:
        await client.send(PlaceOrder("7"), delay=3600)
        await client.send(PlaceOrder("8"), delay=timedelta(hours=1))
        await handle_all(client)
        with pytest.raises(UsageError, match="delay: a command that is handled at once"):
            await client.send(Touch(), delay=1)
    assert seen == []


async def test_what_is_routed_inline_is_handled_when_send_returns(tmp_path: Path) -> None:
    """Its handler has run, and what it raises is raised."""
    seen: list[Any] = []
    async with Client(shop(seen), settings(tmp_path)) as client:
        await client.send(Touch(3))
        assert seen == [Touch(3)]
        with pytest.raises(LookupError):
            await client.send(Touch(-1))


async def test_a_query_is_answered(tmp_path: Path) -> None:
    """``ask`` returns what the handler does, and raises what it raises."""
    async with Client(shop(), settings(tmp_path)) as client:
        assert await client.ask(Find("lamp")) == "LAMP"
        with pytest.raises(LookupError):
            await client.ask(Find("lost"))
        with pytest.raises(UsageError, match=r"ask\(PlaceOrder\): PlaceOrder is a command; use send\(\)"):
            await client.ask(PlaceOrder("7"))


async def test_wrong_messages_are_refused_before_anything_is_sent(tmp_path: Path) -> None:
    """Each error names what is wrong with the message or the argument."""
    wrong: Any = PlaceOrder(7, "x")  # type: ignore[arg-type]
    async with Client(shop(), settings(tmp_path)) as client:
        with pytest.raises(InvalidMessage) as invalid:
            await client.send(wrong)
        assert [fault.pointer for fault in invalid.value.faults] == ["/order_id", "/lines"]
        with pytest.raises(InvalidMessage, match="NUL"):
            await client.send(PlaceOrder("\0"))
        for unknown in (3, PlaceOrder):
            with pytest.raises(UnknownType, match="PlaceOrder"):
                await client.send(unknown)
        with pytest.raises(UsageError, match=r"Find is a query; use ask\(\)"):
            await client.send(Find("x"))
        with pytest.raises(UsageError, match="id: expected a UUID; key: expected 1 to"):
            await client.send(PlaceOrder("7"), id="seven", key="")
        with pytest.raises(UsageError, match="expected stamps"):
            await client.send(PlaceOrder("7"), "now")  # type: ignore[arg-type]
        with pytest.raises(UsageError, match="Delay"):
            await client.send(PlaceOrder("7"), delay=-1)


async def test_many_messages_are_sent_in_order_or_not_at_all_where_one_is_invalid(tmp_path: Path) -> None:
    """Envelopes come in the order of the messages; faults are told of all, with their places."""
    seen: list[Any] = []
    count = desk.AT_ONCE + 10
    async with Client(shop(seen), settings(tmp_path)) as client:
        with pytest.raises(InvalidMessage) as invalid:
            await client.send_many([PlaceOrder("1"), PlaceOrder(2), PlaceOrder("3", "x")])  # type: ignore[arg-type]
        assert [fault.pointer for fault in invalid.value.faults] == ["/1/order_id", "/2/lines"]
        envelopes = await client.send_many(PlaceOrder(str(number)) for number in range(count))
        assert [envelope.message.order_id for envelope in envelopes] == [str(n) for n in range(count)]
        assert await client.send_many([]) == []
        await handle_all(client)
    assert len(seen) == count


async def test_which_of_many_were_not_sent_is_told_by_place(tmp_path: Path) -> None:
    """A broker that takes some: ``failed`` has the place, the id, and whether it may have been taken, of the others."""
    async with Client(shop(), settings(tmp_path)) as client:
        transport: Any = client._desk.service.brokers.transports["here"]

        async def some(batch: Any) -> Any:
            lost = Outcome(OutcomeKind.UNKNOWN, "the line broke")
            return [lost if outgoing.key == "2" else ACCEPTED for outgoing in batch]

        transport.publish = some
        with pytest.raises(PublishFailed, match="1 of 4 messages were not sent, by place: 2: ") as failed:
            await client.send_many(PlaceOrder(str(number)) for number in range(4))
        (error,) = failed.value.failed.values()
        assert (list(failed.value.failed), failed.value.unknown) == ([2], True)
        assert isinstance(error, PublishFailed) and error.unknown and error.id
        with pytest.raises(PublishFailed, match="send it again under the same id") as alone:
            await client.send(PlaceOrder("2"), id=ID)
        assert (alone.value.unknown, alone.value.id) == (True, ID)


async def test_messages_sent_at_once_share_batches(tmp_path: Path) -> None:
    """A thousand concurrent sends reach the broker in few batches."""
    async with Client(shop(), settings(tmp_path)) as client:
        transport: Any = client._desk.service.brokers.transports["here"]
        sizes: list[int] = []
        publish = transport.publish

        async def counted(batch: Any) -> Any:
            sizes.append(len(batch))
            return await publish(batch)

        transport.publish = counted
        await asyncio.gather(*(client.send(PlaceOrder(str(number))) for number in range(1000)))
    assert sum(sizes) == 1000
    assert len(sizes) < 20


async def test_an_unknown_id_has_no_status(tmp_path: Path) -> None:
    """``NotFound`` for ids that were never sent and for what is no id; a wait is a number of seconds."""
    async with Client(shop(), settings(tmp_path)) as client:
        for unknown in (ID, "seven"):
            with pytest.raises(NotFound, match="no command"):
                await client.status(unknown)
        with pytest.raises(UsageError, match="wait="):
            await client.status(ID, wait=-1)


async def test_closing_waits_for_what_is_under_way_and_names_what_is_not_confirmed(tmp_path: Path) -> None:
    """A send that another task has begun is confirmed before the client is closed; one that never is, is named."""
    async with Client(shop(), settings(tmp_path)) as client:
        sending = asyncio.create_task(client.send(PlaceOrder("7")))
        await asyncio.sleep(0)
    assert (await sending).get(Sent) is not None
    with pytest.raises(UsageError, match="not open"):
        await client.send(PlaceOrder("8"))

    slow = settings(tmp_path)
    slow = type(slow)(
        **{name: getattr(slow, name) for name in slow.__struct_fields__}
        | {"worker": type(slow.worker)(graceful_timeout=0.05)}
    )
    with structlog.testing.capture_logs() as logs:
        async with Client(shop(), slow) as client:
            transport: Any = client._desk.service.brokers.transports["here"]

            released = asyncio.Event()

            async def never(batch: Any) -> Any:
                await released.wait()
                return [ACCEPTED] * len(batch)

            transport.publish = never
            sending = asyncio.create_task(client.send(PlaceOrder("9"), id=ID))
            await asyncio.sleep(0)
    (line,) = [one for one in logs if one["log_level"] == "error"]
    assert line["messages"] == [f"PlaceOrder {ID}"]
    released.set()
    await sending


async def test_it_says_how_it_is_used(tmp_path: Path) -> None:
    """Before it is opened, opened twice, of what is no application or no configuration."""
    client = Client(shop(), settings(tmp_path))
    with pytest.raises(UsageError, match="async with Client"):
        await client.send(PlaceOrder("7"))
    async with client:
        with pytest.raises(UsageError, match="open already"):
            await client.__aenter__()
    async with client:  # again, afterwards
        await client.send(PlaceOrder("7"))
    with pytest.raises(UsageError, match="expected an App"):
        Client("shop")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="expected Settings, the path"):
        await Client(shop(), 3).__aenter__()  # type: ignore[arg-type]


async def test_settings_are_found_as_the_command_line_finds_them(tmp_path: Path, monkeypatch: Any) -> None:
    """By the file that is named, or that the current folder holds; faults are errors when it is opened."""
    (tmp_path / "worker.toml").write_text('[transports.near]\nurl = "memory://"\n[routing]\n"*" = "near"\n')
    async with Client(shop(), tmp_path / "worker.toml") as client:
        assert (await client.send(PlaceOrder("7"))).get(Sent) == Sent("near", "shop-place-order")
    monkeypatch.chdir(tmp_path)
    async with Client(shop()) as client:
        assert (await client.send(PlaceOrder("7"))).get(Sent) == Sent("near", "shop-place-order")
    (tmp_path / "worker.toml").write_text("[transports.near]\nurl = 3\n")
    with pytest.raises(ConfigurationError, match=r"transports\.near\.url"):
        await Client(shop()).__aenter__()


async def test_a_broker_that_does_not_answer_is_an_error_when_it_is_opened(tmp_path: Path) -> None:
    """``Unavailable`` within the connect timeout, which is the database's, too; nothing is left open."""
    far = settings(tmp_path, "amqp://guest:guest@127.0.0.1:1/")
    quick = type(far)(
        **{name: getattr(far, name) for name in far.__struct_fields__}
        | {"worker": type(far.worker)(connect_timeout=2.0)}
    )
    with pytest.raises(TransportUnavailable, match="transport here"):
        await Client(shop(), quick).__aenter__()


def test_importing_the_package_loads_neither_the_client_nor_sqlalchemy() -> None:
    """The face gives ``Client`` when it is asked for."""
    code = (
        "import sys, worker; assert not any(name.startswith(('worker.wiring', 'sqlalchemy')) for name in sys.modules);"
        "from worker import Client, Settings; assert 'sqlalchemy' not in sys.modules; print(Client.__name__)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.stdout, done.returncode) == ("Client\n", 0), done.stderr
