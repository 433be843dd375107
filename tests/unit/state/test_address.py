"""What a database URL means."""

from __future__ import annotations

from pathlib import Path

import pytest

from worker.errors import ConfigurationError
from worker.state.address import parse

BASE = Path("/srv/shop")


def test_a_relative_path_counts_from_the_configuration_files_folder():
    """`sqlite:///var/worker.db` lies in the folder of the configuration file."""
    assert parse("sqlite:///var/worker.db", BASE).path == Path("/srv/shop/var/worker.db")


def test_an_absolute_path_stays():
    """Four slashes are an absolute path."""
    assert parse("sqlite:////data/worker.db", BASE).path == Path("/data/worker.db")


@pytest.mark.parametrize("text", ["sqlite://", "sqlite:///:memory:", ":memory:"])
def test_a_database_without_a_path_goes_with_the_process(text):
    """Every way to write it means a database that lasts as long as the process."""
    assert parse(text, BASE).path is None


@pytest.mark.parametrize("scheme", ["postgresql", "postgres"])
def test_postgresql_is_only_a_url(scheme):
    """The driver gets PostgreSQL's address as it was written, and its password is masked where it is shown."""
    text = f"{scheme}://user:secret@one:5432,two/name?sslmode=require"
    address = parse(text, BASE)
    assert address.dialect == "postgresql"
    assert address.dsn == text
    assert address.shown == f"{scheme}://user:***@one:5432,two/name?sslmode=require"


@pytest.mark.parametrize(
    "text", ["mysql://host/name", "nonsense", "", "sqlite://host/path", "sqlite:///x.db?mode=ro"]
)
def test_any_other_url_is_a_configuration_error(text):
    """What is not supported is refused at once."""
    with pytest.raises(ConfigurationError):
        parse(text, BASE)


def test_a_password_is_never_shown():
    """A URL that cannot be read is not repeated in the error."""
    with pytest.raises(ConfigurationError) as caught:
        parse("postgresql://user:secret@host:port/name", BASE)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "password", ["Zq@qZ/x", "Zq/qZ", "Zq?qZ", "Zq#qZ", "12/qZ", "12?qZ", "12#qZ", "Zq@12?qZ", "12?a=b&qZ"]
)
def test_a_password_that_is_not_escaped_is_refused(password):
    """Its driver would take a part of it for a host or a port, look that up and show it; the error says how to write it."""
    with pytest.raises(ConfigurationError, match="%40") as caught:
        parse(f"postgresql://user:{password}@host/name", BASE)
    assert "qZ" not in str(caught.value)


def test_an_at_sign_in_a_parameter_is_no_password():
    """Who the user is may stand there."""
    assert parse("postgresql://host:5432/name?user=a@b", BASE).dsn.endswith("?user=a@b")
