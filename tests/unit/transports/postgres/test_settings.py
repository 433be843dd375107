"""The table of a PostgreSQL transport."""

from __future__ import annotations

import asyncpg
import pytest

from transports import registry
from transports.postgres import faults
from worker.errors import ConfigurationError


@pytest.mark.parametrize("scheme", ["postgres", "postgresql"])
def test_both_schemes_lead_here_and_open_nothing(scheme, tmp_path):
    """The address is read when it is used."""
    made = registry.create("jobs", f"{scheme}://u:p@one:1,two/db?sslmode=require", {}, base=tmp_path)
    assert made.name == "jobs"
    assert made.features.ordering == "key"


def test_all_faults_come_together_and_without_the_password(tmp_path):
    """Each option that is wrong is named."""
    with pytest.raises(ConfigurationError) as caught:
        registry.create(
            "jobs",
            "postgresql://u:geheim@host:port/db",
            {"lease": 0, "timeout": 0, "max_bytes": 0, "poll": 1},
            base=tmp_path,
        )
    text = str(caught.value)
    for key in ("url", "lease", "timeout", "max_bytes", "poll"):
        assert f"transports.jobs.{key}" in text
    assert "geheim" not in text


async def test_an_address_that_the_driver_does_not_understand_is_a_configuration_error(tmp_path):
    """No waiting makes it right."""
    made = registry.create("jobs", "postgresql://u:geheim@host/db?sslmode=perhaps", {}, base=tmp_path)
    with pytest.raises(ConfigurationError, match=r"transports\.jobs\.url") as caught:
        await made.connect()
    assert "geheim" not in str(caught.value)


POOLED = asyncpg.ProtocolViolationError("unsupported startup parameter: lock_timeout")
"""As PgBouncer says it."""


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (asyncpg.InsufficientPrivilegeError("permission denied for schema public"), "expected a role with"),
        (asyncpg.ReadOnlySQLTransactionError("cannot execute INSERT"), "expected the primary"),
        (POOLED, "expected the address of the server itself"),
    ],
)
def test_a_refusal_says_what_is_expected(error, expected):
    """A role without a right, a server that takes no writes, a pooler in between."""
    assert f"{error}: " in faults.reason(error)
    assert expected in faults.reason(error)
