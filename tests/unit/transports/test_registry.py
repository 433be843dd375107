"""The registry: schemes, drivers and options, and what is said when one is wrong."""

import sys

import pytest

from transports import registry
from worker.errors import ConfigurationError
from worker.messaging.transport import Transport


def refused(url, options=None, folder=None, **more):
    with pytest.raises(ConfigurationError) as caught:
        registry.create("jobs", url, options or {}, base=folder, **more)
    return caught.value


@pytest.mark.parametrize("url", ["memory://", "sqlite:///queue.db"])
def test_a_known_scheme_makes_a_transport_and_opens_nothing(url, tmp_path):
    transport: Transport = registry.create("jobs", url, {}, base=tmp_path)
    assert transport.name == "jobs"
    assert not list(tmp_path.iterdir())


def test_an_unknown_scheme_names_key_address_and_what_is_known():
    text = str(refused("ampq://u:hunter2@h/"))
    assert "transports.jobs.url" in text and "memory://" in text and "sqlite://" in text
    assert "ampq://u:***@h/" in text and "hunter2" not in text


def test_an_address_without_a_scheme_is_refused():
    assert "transports.jobs.url" in str(refused("var/queue.db"))


def test_all_faults_of_a_table_come_in_one_error(tmp_path):
    error = refused("sqlite:///q.db", {"lease": 0.5, "syncronous": "full", "synchronous": "off"}, tmp_path)
    assert len(error.faults) == 3
    for key in ("lease", "syncronous", "synchronous"):
        assert any(fault.startswith(f"transports.jobs.{key}") for fault in error.faults)


@pytest.mark.parametrize("value", [0, 0.999, "60", True, float("nan"), float("inf"), None])
def test_a_lease_that_is_no_second_long_is_refused(value, tmp_path):
    assert "at least 1" in str(refused("sqlite:///q.db", {"lease": value}, tmp_path))


@pytest.mark.parametrize(
    "url",
    [
        "sqlite://",
        "sqlite:///",
        "sqlite://host/q.db",
        "sqlite:///:memory:",
        "sqlite:///file::memory:",
        "sqlite:///q?a=b",
    ],
)
def test_a_sqlite_address_names_a_file(url, tmp_path):
    assert "transports.jobs.url" in str(refused(url, {}, tmp_path))


def test_a_driver_that_is_missing_says_what_to_install(tmp_path):
    (tmp_path / "needs_driver_for_test.py").write_text("import no_such_driver.client\n")
    sys.path.insert(0, str(tmp_path))
    try:
        schemes = {"amqp": registry.Scheme("needs_driver_for_test:create", "rabbitmq")}
        text = str(refused("amqp://u:hunter2@h/", schemes=schemes))
    finally:
        sys.path.remove(str(tmp_path))
    assert (
        'pip install "command-worker[rabbitmq]"' in text
        and "no_such_driver" in text
        and "hunter2" not in text
    )


async def test_relative_paths_start_from_the_configurations_folder(tmp_path):
    transport = registry.create("jobs", "sqlite:///var/deep/queue.db", {}, base=tmp_path)
    await transport.connect()
    await transport.close()
    assert (tmp_path / "var" / "deep" / "queue.db").exists()


async def test_four_slashes_make_an_absolute_path(tmp_path):
    transport = registry.create("jobs", f"sqlite:///{tmp_path}/queue.db", {}, base=tmp_path / "elsewhere")
    await transport.connect()
    await transport.close()
    assert (tmp_path / "queue.db").exists()
