"""A database file that is removed or replaced under a process: nothing is written where nobody looks."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from worker.errors import DatabaseUnavailable
from worker.state.database import Database


async def test_a_file_that_is_gone_is_an_outage_until_one_is_back(tmp_path, monkeypatch):
    """Stores and sessions say so, make no empty one in its place, and go on with what is put there."""
    monkeypatch.setattr("worker.state.sqlite_driver._LOOK", 0.0)
    database, other = (Database("sqlite:///var/state.db", base=tmp_path) for _ in range(2))
    await database.connect()
    await database.setup()

    async def handled() -> None:
        session = database.session()
        await session.execute(text("UPDATE worker_clock SET skew = 0"))
        await session.undo()

    await handled()
    for path in (tmp_path / "var").iterdir():
        path.unlink()
    for look in (database.prove_writable, handled):
        with pytest.raises(DatabaseUnavailable, match="gone"):
            await look()
    assert not database.there
    await other.connect()
    await other.setup()
    assert await database.missing() == []
    await handled()
    for one in (database, other):
        await one.close()
