"""A client goes on without brokers that it does not need."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from worker import App, ConfigurationError, TransportUnavailable
from worker.messaging.failure import Failure
from worker.settings import DatabaseSettings, Settings, TransportSettings, WorkerSettings
from worker.state.database import Database
from worker.state.failures import SqlFailures
from worker.wiring.console import console

app = App("shop")


@app.command
class Near(msgspec.Struct, frozen=True):
    number: int = 0


@app.command
class Far(msgspec.Struct, frozen=True):
    number: int = 0


@app.handler
async def near(command: Near) -> None: ...


@app.handler
async def far(command: Far) -> None: ...


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Two transports; the folder of one is a file, so it never answers."""
    (tmp_path / "file").write_text("")
    return Settings(
        database=DatabaseSettings(url=f"sqlite:///{tmp_path}/worker.db"),
        transports={
            "near": TransportSettings(url="memory://"),
            "far": TransportSettings(url=f"sqlite:///{tmp_path}/file/queue.db"),
        },
        routing={"Near": "near", "Far": "far"},
        worker=WorkerSettings(connect_timeout=2.0),
        base=tmp_path,
    )


async def test_everything_needed_must_answer(settings: Settings) -> None:
    """By default a transport that does not answer is an error that names it."""
    with pytest.raises(TransportUnavailable, match="far"):
        async with console(settings, app.registry(), tables="create"):
            pass


async def test_only_what_is_asked_for_is_connected(settings: Settings) -> None:
    """None at all for the failure store; one for a command of its own."""
    async with console(settings, app.registry(), tables="create", queues=False, transports=()) as it:
        assert (await it.failed.list()).total == 0
        assert it.features() == {}
    async with console(settings, app.registry(), tables="create", transports=("near",)) as it:
        await it.command_bus.dispatch(Near())
        with pytest.raises(TransportUnavailable):
            await it.command_bus.dispatch(Far())


async def test_what_does_not_answer_is_left_out(settings: Settings) -> None:
    """The consumers document has every queue; what an absent broker cannot tell is None."""
    async with console(settings, app.registry(), tables="create", absent=True) as it:
        found = {item["type"]: item["ready"] for item in (await it.consumers())["consumers"]}
        assert found == {"Near": 0, "Far": None}
        report = await it.health()
        assert report.status == {"database": True, "transport.near": True, "transport.far": False}
        assert len(report.reasons) == 1
        assert report.reasons[0].startswith("transport far: ")


async def test_what_goes_back_to_an_absent_broker_is_told_why_it_cannot(settings: Settings) -> None:
    """The reason why it does not answer; and for a name that is not known here, that there is no such broker."""
    database = Database(settings.database.url, base=settings.base, application="shop")
    await database.connect()
    await database.setup()
    for name in ("far", "former"):
        failed = Failure(
            id=name, failed_at=0.0, body=b"{}", history=(), type=None, transport=name, queue="q", attempts=1,
            decoded=False,
        )  # fmt: skip
        await SqlFailures(database).add([failed])
    await database.close()
    async with console(settings, app.registry(), tables="create", queues=False, absent=True) as it:
        with pytest.raises(TransportUnavailable, match=r"^transport far: .*(queue\.db|no answer)"):
            await it.failed.retry("far")
        with pytest.raises(TransportUnavailable, match=r"^transport former: it is not configured here"):
            await it.failed.retry("former")


async def test_looking_makes_nothing(tmp_path: Path) -> None:
    """No folder, no file, no table: what needs tables names what is missing, what only looks goes on without."""
    settings = Settings(
        database=DatabaseSettings(url=f"sqlite:///{tmp_path}/var/worker.db"),
        transports={"near": TransportSettings(url=f"sqlite:///{tmp_path}/var/queue.db")},
        base=tmp_path,
        routing={"*": "near"},
    )
    with pytest.raises(ConfigurationError, match=r"missing in database.*0001_initial.*run: worker setup"):
        async with console(settings, app.registry(), queues=False, absent=True):
            pass
    async with console(settings, app.registry(), tables="ignore", queues=False, absent=True) as it:
        assert it.unmade() == ["database", "transport.near"]
        assert {"0001_initial", "queue shop-near on near", "queue shop-far on near"} <= set(
            await it.missing()
        )
        assert not (await it.health()).healthy
    assert list(tmp_path.iterdir()) == []
