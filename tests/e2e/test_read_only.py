"""A PostgreSQL that takes no writes: said at once, and nothing waits for it."""

from __future__ import annotations

import asyncio
import json

import asyncpg
import pytest

from tests.e2e.project import Project

pytestmark = [pytest.mark.e2e, pytest.mark.broker]


def test_a_worker_on_a_read_only_database_says_so_and_ends(project: Project, postgres_url: str) -> None:
    """Exit 3 with what is wrong and what to do, long before its time limit; looking goes on."""
    project.configure()
    file = project.folder / "worker.toml"
    file.write_text(file.read_text().replace("sqlite:///var/worker.db", postgres_url))
    project.ok("setup")

    async def refuse_writes() -> None:
        connection = await asyncpg.connect(postgres_url)
        name = await connection.fetchval("SELECT current_database()")
        await connection.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
        await connection.close()

    asyncio.run(refuse_writes())
    done = project.cli("consume", "--time-limit", "100", timeout=60)
    assert done.returncode == 3
    assert "read-only" in done.stderr and "expected the primary" in done.stderr
    assert project.json("status")["workers"] == []
    checked = project.cli("check", "--json", timeout=60)
    assert checked.returncode == 3
    document = json.loads(checked.stdout)
    assert (document["healthy"], document["status"]["database"]) == (False, False)
    assert "read-only" in document["reasons"][0]
