"""The PostgreSQL of the tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import asyncpg
import pytest

from tests.brokers.postgres import OwnPostgres, Postgres

pytestmark = pytest.mark.broker


async def run(url: str, *statements: str) -> Any:
    """Run statements; give the first value of the last one."""
    connection = await asyncpg.connect(url, timeout=10)
    try:
        for statement in statements[:-1]:
            await connection.execute(statement)
        return await connection.fetchval(statements[-1])
    finally:
        await connection.close()


async def test_each_test_has_a_database_of_its_own(postgres: Postgres, postgres_url: str) -> None:
    """A table of one database is not in another, and a database goes with its test."""
    assert await run(postgres_url, "CREATE TABLE t AS SELECT 1 AS n", "SELECT n FROM t") == 1
    with postgres.fresh() as other:
        with pytest.raises(asyncpg.UndefinedTableError):
            await run(other, "SELECT n FROM t")
    with pytest.raises(asyncpg.InvalidCatalogNameError):
        await run(other, "SELECT 1")


@pytest.mark.fault
async def test_private_server_is_killed_and_started_again(private_broker: Callable[..., Any]) -> None:
    """What was committed is there after kill -9 and after a restart."""
    own: OwnPostgres = private_broker("postgres")
    await run(own.url, "CREATE TABLE t (n int)", "INSERT INTO t VALUES (7) RETURNING n")
    own.kill()
    with pytest.raises(OSError):
        await asyncpg.connect(own.url, timeout=10)
    own.start()
    assert await run(own.url, "SELECT n FROM t") == 7
    own.stop()
    own.start()
    assert await run(own.url, "SELECT n FROM t") == 7
