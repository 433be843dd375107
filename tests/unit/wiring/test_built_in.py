"""The product's own queries: what they answer, under which names, and who may ask them."""

from __future__ import annotations

import threading
from typing import Any

import msgspec
import pytest

from tests.unit.kit import Go, shop
from worker import App, CheckHealth, ConfigurationError, GetCrontab, Ping
from worker.messaging.routing import Routes
from worker.testing import TestWorker
from worker.wiring.built_in import BuiltIn, with_built_in


class Other(msgspec.Struct, frozen=True): ...


async def answer(query: Other) -> int:
    return 7


async def test_ping_is_true_and_health_is_its_document() -> None:
    """Every application answers them."""
    app = App("shop")

    @app.health("catalog")
    async def catalog() -> bool:
        return False

    async with TestWorker(app) as worker:
        assert await worker.query(Ping()) is True
        report = await worker.query(CheckHealth())
        assert (report.healthy, report.status) == (False, {"database": True, "catalog": False})


async def test_the_crontab_is_asked_in_a_thread() -> None:
    """Its functions are the application's: they may take their time."""
    app, threads = App("shop"), list[threading.Thread]()

    @app.crontab
    def lines() -> list[str]:
        threads.append(threading.current_thread())
        return ["0 3 * * * worker send Go"]

    async with TestWorker(app) as worker:
        assert await worker.query(GetCrontab()) == ["0 3 * * * worker send Go"]
    assert threads[0] is not threading.main_thread()


async def test_health_that_is_asked_for_as_a_message_tells_no_hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be asked over HTTP."""
    async with TestWorker(App("shop")) as worker:
        service = worker._open()

        async def parts(_: Any) -> dict[str, str | None]:
            return {"database": "database: cannot reach anna@db.example.org"}

        monkeypatch.setattr(type(service.health), "_parts", parts)
        report = await worker.query(CheckHealth())
        assert list(report.reasons) == ["database: see the log"]


async def test_each_is_known_by_its_bare_name_where_the_application_has_none_of_that_name() -> None:
    """``Ping`` stands for ``worker.Ping``, unless it is the application's."""

    async def go(command: Go) -> None: ...

    async with TestWorker(shop(go)) as worker:
        by_name = worker._open().buses.registry.by_name
        assert by_name["Ping"] is by_name["worker.Ping"]
        assert by_name["Ping"].cls is Ping
    app = shop(go)
    app.query("Ping")(Other)
    app.handler(answer)
    async with TestWorker(app) as worker:
        by_name = worker._open().buses.registry.by_name
        assert (by_name["Ping"].cls, by_name["worker.Ping"].cls) == (Other, Ping)


def test_an_application_may_not_take_the_products_names() -> None:
    """What is behind ``worker.`` is the product's."""
    app = App("shop")
    app.query("worker.Ping")(Other)
    app.handler(answer)
    registry = app.registry()
    own = [BuiltIn(cls=Ping, call=answer, right="health", kind="query")]
    with pytest.raises(ConfigurationError, match="the name is the product's own"):
        with_built_in(registry, Routes({}, {}), own)
