"""A web application stores an order and sends its command in one transaction, and is killed: no order without its command, and no command without its order."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from tests.brokers.postgres import Postgres
from tests.deep import long, size
from tests.e2e.processes import environment, free_port
from tests.e2e.project import Project
from tests.e2e.waiting import until
from tests.faults.beside.orders import Orders
from tests.faults.beside.shop import TABLES

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.broker,
    pytest.mark.fault,
    pytest.mark.slow,
    pytest.mark.timeout(size(300, 3600)),
]

DEATHS = size(3, 50)
YOUNG = 12.0
"""Seconds that a quorum queue must have been there before RabbitMQ 3.10 may be stopped."""
TOML = """\
app = "tests.faults.beside.shop:app"
[database]
url = "{database}"
[transports.{name}]
url = "{url}"
[routing]
"*" = "{name}"
[worker]
connect_timeout = {timeout}
"""


class Web:
    """The web server of an application, in a process group of its own, always on the same port."""

    def __init__(self, folder: Path, database: str, command: Callable[[int], list[str]]) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._command = [sys.executable, "-m", *command(self.port)]
        self._folder = folder
        self._environment = environment({"SHOP_DATABASE": database})
        self.log = folder / "web.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as out:
            self._process = subprocess.Popen(
                self._command,
                cwd=self._folder,
                env=self._environment,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        until(lambda: httpx.get(self.url, trust_env=False).status_code, "the web server answers")

    @property
    def children(self) -> list[int]:
        """Its workers."""
        assert self._process is not None
        found = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text()
        return [int(pid) for pid in found.split()]

    def kill(self) -> None:
        """``kill -9`` all of it."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(10)

    def stop(self) -> int:
        """End it in order; its exit code."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(60)

    def gone(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self.kill()


def rows(database: str, statement: str) -> list[Any]:
    async def work() -> list[Any]:
        connection = await asyncpg.connect(database, timeout=30)
        try:
            return [tuple(row) for row in await connection.fetch(statement)]
        finally:
            await connection.close()

    return asyncio.run(work())


def settle(database: str, orders: Orders, more: set[int]) -> None:
    """Everything that was ordered is fulfilled, once; nothing else is."""
    assert orders.odd == []
    stored = {number for (number,) in rows(database, "SELECT number FROM orders")}
    assert orders.taken | more <= stored
    assert not orders.refused & stored
    until(
        lambda: len(rows(database, "SELECT 1 FROM fulfilled")) >= len(stored),
        f"{len(stored)} orders are fulfilled",
        120,
        0.2,
    )
    until(lambda: not rows(database, "SELECT 1 FROM worker_outbox LIMIT 1"), "the outbox is sent", 60, 0.2)
    fulfilled = Counter(number for (number,) in rows(database, "SELECT number FROM fulfilled"))
    assert fulfilled == Counter(stored)
    print(
        f"{len(stored)} orders, {fulfilled.total()} commands handled, {len(orders.refused)} refused, "
        f"{orders.repeated} repeated"
    )


def prepared(project: Project, database: str, name: str, url: str, timeout: float = 10.0) -> None:
    (project.folder / "worker.toml").write_text(
        TOML.format(database=database, name=name, url=url, timeout=timeout)
    )
    project.ok("setup")
    for table in TABLES:
        rows(database, table)


def test_fastapi_killed_at_random(project: Project, postgres: Postgres) -> None:
    """``kill -9`` under load, over and over: orders = commands handled, exactly."""
    chance = random.Random(int(os.environ.get("WORKER_TEST_SOAK_SEED", time.time_ns())))
    with postgres.fresh() as database:
        prepared(project, database, "postgres", database)
        project.consume_all(2, "postgres")
        module = "tests.faults.beside.with_fastapi:api"
        web = Web(
            project.folder,
            database,
            lambda port: ["uvicorn", module, "--port", str(port), "--log-level", "warning"],
        )
        web.start()
        try:
            with Orders(web.url) as orders:
                for _ in range(DEATHS):
                    orders.until_more(30)
                    time.sleep(chance.uniform(0.0, 0.5))
                    web.kill()
                    web.start()
                orders.until_more(30)
            assert web.stop() in {0, -signal.SIGTERM}  # uvicorn ends by the signal it was given
            settle(database, orders, set())
        finally:
            web.gone()


@long
def test_flask_forked_and_killed_while_rabbitmq_restarts(
    project: Project, postgres: Postgres, private_broker: Callable[..., Any]
) -> None:
    """Four forked workers of gunicorn, some killed, RabbitMQ restarted in between: orders = commands handled, exactly."""
    chance = random.Random(int(os.environ.get("WORKER_TEST_SOAK_SEED", time.time_ns())))
    broker = private_broker("rabbitmq")
    with postgres.fresh() as database, broker.fresh() as url:
        prepared(project, database, "rabbitmq", url, 2.0)
        project.consume_all(2, "rabbitmq")
        web = Web(
            project.folder,
            database,
            lambda port: [
                "gunicorn", "-w", "4", "-k", "gthread", "--threads", "3", "--preload",
                "-b", f"127.0.0.1:{port}", "tests.faults.beside.with_flask:web",
            ],
        )  # fmt: skip
        declared = time.monotonic()
        web.start()
        try:
            with Orders(web.url) as orders:
                time.sleep(max(0.0, declared + YOUNG - time.monotonic()))
                for number in range(DEATHS):
                    orders.until_more(30)
                    time.sleep(chance.uniform(0.0, 0.5))
                    if number % max(1, DEATHS // 3) == 1 or DEATHS == 1:
                        broker.stop()
                        time.sleep(chance.uniform(0.0, 1.0))
                        broker.start()
                    os.kill(chance.choice(web.children), signal.SIGKILL)
                orders.until_more(30)
            assert web.stop() in {0, -signal.SIGTERM}  # uvicorn ends by the signal it was given
            settle(database, orders, {0})
        finally:
            web.gone()
