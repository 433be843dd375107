"""Bursts on Kafka with real workers: the first of a group, and while members come."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.conformance.kafka_space import kafka_space
from tests.e2e.project import Project

pytestmark = [pytest.mark.e2e, pytest.mark.broker, pytest.mark.timeout(180)]

TOML = """\
app = "tests.e2e.app:app"

[database]
url = "sqlite:///var/worker.db"

[transports.kafka]
url = "{url}"
partitions = 6

[routing]
"*" = "kafka"
"""


@pytest.fixture
async def space(kafka_url: str) -> AsyncIterator[str]:
    """A place of this test's own on the shared broker."""
    async with kafka_space(kafka_url) as url:
        yield url


def test_the_first_burst_of_a_group_handles_everything(project: Project, space: str) -> None:
    """Two processes that burst on topics that were never consumed leave nothing behind, whichever gets which partitions."""
    (project.folder / "worker.toml").write_text(TOML.format(url=space))
    project.send_many(*[("Note", {"number": number}) for number in range(200)])
    assert project.start("consume", "-w", "2", "--type", "Note", "--burst").wait(90) == 0
    assert {int(line.split()[0]) for line in project.lines("notes")} == set(range(200))
