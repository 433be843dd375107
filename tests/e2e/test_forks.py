"""Handlers that fork beside connections to real brokers: the child disturbs none of them, whatever way it ends."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.conformance.kafka_space import kafka_space
from tests.e2e.processes import environment
from tests.e2e.project import Project
from tests.e2e.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.broker, pytest.mark.timeout(180)]

TOML = """\
app = "tests.e2e.stubborn:app"

[database]
url = "{database}"

[transports.broker]
url = "{url}"

[routing]
"*" = "broker"
"""


@pytest.mark.parametrize("broker", ["rabbitmq", "postgres", "kafka", "pubsub"])
async def test_a_child_disturbs_no_connection(
    project: Project, request: pytest.FixtureRequest, broker: str
) -> None:
    """A pool, a child that is killed, one that comes back, one that runs another program: messages flow as before."""
    given = request.getfixturevalue(f"{broker}_url")
    if broker == "kafka":
        async with kafka_space(given) as url:
            disturb(project, url, "sqlite:///var/worker.db")
    else:
        database = given if broker == "postgres" else "sqlite:///var/worker.db"
        disturb(project, given, database)


def disturb(project: Project, url: str, database: str) -> None:
    """Fork, and handle another message; nothing may be heard of a connection."""
    project.warm = False
    (project.folder / "worker.toml").write_text(TOML.format(url=url, database=database))
    batch = "".join(f'{{"type": "{name}", "data": {{}}}}\n' for name in ("Fork", "Plain"))
    project.ok("send", "--ndjson", "-", stdin=batch, timeout=90)
    worker = project.consume("-c", "2")
    until(lambda: len(project.lines("ended")) == 3 and project.lines("returned"), "it forks")
    project.ok("send", "Print", "text=after", timeout=90)
    until(lambda: project.lines("printed") == ["after"], "its connections are as before")
    assert [*project.lines("ended"), *project.lines("returned")] == ["15", "70", "piped", "70"]
    worker.stop()
    lines = [json.loads(line) for line in worker.log.splitlines() if line.startswith("{")]
    told = {line["event"] for line in lines if line["level"] != "info"}
    assert told == {
        "a process that a handler forked came back from it; it ends: end it by os._exit",
    }


CLIENT = """\
import os

from tests.e2e.stubborn import Print, app
from worker import Client

client = Client.sync(app, "worker.toml")
client.send(Print("before"))
child = os.fork()
client.send(Print("behind"))
if child:
    assert os.waitpid(child, 0)[1] == 0
"""


def test_parent_and_child_send_after_a_fork(project: Project, pubsub_url: str) -> None:
    """The client lets go before a fork, gRPC's threads with it: each of the two has connections of its own."""
    toml = TOML.format(url=pubsub_url, database="sqlite:///var/worker.db")
    (project.folder / "worker.toml").write_text(toml)
    command = [sys.executable, "-c", CLIENT]
    done = subprocess.run(
        command,
        cwd=project.folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    project.consume()
    until(lambda: sorted(project.lines("printed")) == ["before", "behind", "behind"], "all three are handled")
