"""Handlers that fork beside connections to real brokers: the child disturbs none of them, whatever way it ends."""

from __future__ import annotations

import json

import pytest

from tests.conformance.kafka_space import kafka_space
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
        disturb(project, given, database, may_crash=broker == "pubsub")


def disturb(project: Project, url: str, database: str, *, may_crash: bool = False) -> None:
    """Fork, and handle another message; nothing may be heard of a connection.

    ``may_crash``: gRPC's own library is not made for children that are forked beside its connections, and may end one of
    them by a fault of memory, whatever it was about, also before it runs another program. That is its child's end, not
    the worker's.
    """
    project.warm = False
    (project.folder / "worker.toml").write_text(TOML.format(url=url, database=database))
    batch = "".join(f'{{"type": "{name}", "data": {{}}}}\n' for name in ("Fork", "Plain"))
    project.ok("send", "--ndjson", "-", stdin=batch, timeout=90)
    worker = project.consume("-c", "2")
    until(lambda: len(project.lines("ended")) == 3 and project.lines("returned"), "it forks")
    project.ok("send", "Print", "text=after", timeout=90)
    until(lambda: project.lines("printed") == ["after"], "its connections are as before")
    ended = [*project.lines("ended"), *project.lines("returned")]
    wanted = ["15", "70", "piped", "70"]
    crashed = {"11", "-11"} if may_crash else set()
    assert all(end == right or end in crashed for end, right in zip(ended, wanted, strict=True)), ended
    worker.stop()
    lines = [json.loads(line) for line in worker.log.splitlines() if line.startswith("{")]
    told = {line["event"] for line in lines if line["level"] != "info"}
    assert told == {
        "a process that a handler forked came back from it; it ends: end it by os._exit",
    }
