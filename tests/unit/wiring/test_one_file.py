"""Queues in the file of the state are told: a handler that writes for long holds up its own queue."""

from __future__ import annotations

from pathlib import Path

import pytest

from worker.settings import DatabaseSettings, Settings, TransportSettings
from worker.wiring.one_file import sharing


@pytest.mark.parametrize(
    ("state", "queue", "told"),
    [
        ("sqlite:///var/worker.db", "sqlite:///var/worker.db", True),
        ("sqlite:///var/worker.db", "sqlite:///var/../var/worker.db", True),
        ("sqlite:///var/worker.db", "sqlite:///var/queue.db", False),
        ("sqlite:///var/worker.db", "memory://", False),
        ("postgresql://db/shop", "postgresql://db/shop", False),
    ],
)
def test_only_one_file_for_both_is_told(tmp_path: Path, state: str, queue: str, told: bool) -> None:
    """Only SQLite has one writer a file; a transport that nothing is routed to is in no queue's way."""
    settings = Settings(
        database=DatabaseSettings(url=state), transports={"it": TransportSettings(url=queue)}, base=tmp_path
    )
    assert sharing(settings, ["it"]) == ["it"] * told
    assert sharing(settings, []) == []
