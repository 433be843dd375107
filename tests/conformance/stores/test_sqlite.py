"""SQLite is a store of resources."""

import pytest

from tests.conformance.stores.mapped import OnDatabase
from tests.conformance.stores.suite import StoreSuite

pytestmark = pytest.mark.filterwarnings("ignore:Dialect sqlite.aiosqlite does .not. support Decimal")


@pytest.fixture
def database_url() -> str:
    return "sqlite:///var/state.db"


class TestSqlite(OnDatabase, StoreSuite):
    serial = True
