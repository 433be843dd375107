"""PostgreSQL is a store of resources."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.conformance.stores.mapped import OnDatabase
from tests.conformance.stores.suite import StoreSuite


@pytest.fixture(scope="module")
def database_url(postgres: Any) -> Iterator[str]:
    """One database for all tests: each begins with empty tables."""
    with postgres.fresh() as url:
        yield url


class TestPostgresql(OnDatabase, StoreSuite):
    pass
