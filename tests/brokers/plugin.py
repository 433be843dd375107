"""Brokers as fixtures for the whole test tree: ``rabbitmq``, ``postgres``, ``kafka``, ``sqs``, ``pubsub``, ``mongo``, and a URL each test."""

from __future__ import annotations

import functools
import gc
import os
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.brokers.brokers import KINDS, Brokers
from tests.brokers.sqs import ENVIRONMENT

_BROKERS = pytest.StashKey[Brokers]()


def pytest_configure(config: pytest.Config) -> None:
    """One set of brokers a run: with pytest-xdist its first process owns them."""
    given = getattr(config, "workerinput", None)
    if given is None:
        config.stash[_BROKERS] = Brokers(os.getpid())
    else:
        config.stash[_BROKERS] = Brokers(given["brokers_owner"], Path(given["brokers_folder"]))


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell each process of pytest-xdist where the run's brokers are."""
    node.workerinput["brokers_owner"] = os.getpid()
    node.workerinput["brokers_folder"] = str(node.config.stash[_BROKERS].place.folder)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what uses a broker, so that it can be left out."""
    for item in items:
        names = set(getattr(item, "fixturenames", ()))
        if any(_uses(kind, names) for kind in KINDS):
            item.add_marker(pytest.mark.broker)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Install what the chosen tests need before the first one's time runs."""
    if session.config.option.collectonly:
        return
    names = {name for item in session.items for name in getattr(item, "fixturenames", ())}
    session.config.stash[_BROKERS].prepare({kind for kind in KINDS if _uses(kind, names)})


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say which brokers were used, and why others were not."""
    lines = config.stash[_BROKERS].lines()
    if lines:
        terminalreporter.section("brokers")
        for line in lines:
            terminalreporter.write_line(line)


def pytest_unconfigure(config: pytest.Config) -> None:
    """End what was started; when this process is killed, the guard does it."""
    brokers = config.stash.get(_BROKERS, None)
    if brokers is not None:
        brokers.close()


@pytest.fixture(scope="session")
def brokers(request: pytest.FixtureRequest) -> Brokers:
    """All of them, each started at its first use."""
    return request.config.stash[_BROKERS]


@pytest.fixture(scope="session")
def rabbitmq(brokers: Brokers) -> Any:
    """The RabbitMQ that tests share (``tests.brokers.rabbitmq.RabbitMQ``)."""
    return brokers.shared("rabbitmq")


@pytest.fixture(scope="session")
def postgres(brokers: Brokers) -> Any:
    """The PostgreSQL that tests share (``tests.brokers.postgres.Postgres``)."""
    return brokers.shared("postgres")


@pytest.fixture(scope="session")
def kafka(brokers: Brokers) -> Any:
    """The Kafka that tests share (``tests.brokers.kafka.Kafka``)."""
    return brokers.shared("kafka")


@pytest.fixture(scope="session")
def sqs(brokers: Brokers) -> Any:
    """The SQS server that tests share (``tests.brokers.sqs.Sqs``)."""
    return brokers.shared("sqs")


@pytest.fixture(scope="session")
def pubsub(brokers: Brokers) -> Any:
    """The Pub/Sub emulator that tests share (``tests.brokers.pubsub.Pubsub``)."""
    return brokers.shared("pubsub")


@pytest.fixture(scope="session")
def mongo(brokers: Brokers) -> Any:
    """The MongoDB server that tests share (``tests.brokers.mongo.Mongo``)."""
    return brokers.shared("mongo")


@pytest.fixture
def rabbitmq_url(rabbitmq: Any) -> Iterator[str]:
    """An empty virtual host for one test."""
    with rabbitmq.fresh() as url:
        yield url


@pytest.fixture
def short_ladder(monkeypatch: pytest.MonkeyPatch) -> None:
    """RabbitMQ's queues for delays up to 25 s only: those for nineteen days take most of the time of a short test."""
    monkeypatch.setattr("transports.rabbitmq.delays.RUNGS", 8)


@pytest.fixture
def postgres_url(postgres: Any) -> Iterator[str]:
    """An empty database for one test."""
    with postgres.fresh() as url:
        yield url


@pytest.fixture
def kafka_url(kafka: Any) -> str:
    """The shared broker; topics and groups are named by the test."""
    return str(kafka.url)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials for a server of the tests, where the SDK's chain finds them; its models are read once a process."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("transports.sqs.connection.get_session", _session)


@pytest.fixture
def sqs_url(sqs: Any, aws: None) -> Iterator[str]:
    """The shared server, with a prefix for one test."""
    with sqs.fresh() as url:
        yield url


@pytest.fixture
def unclosed_sockets() -> Iterator[None]:
    """Collect those that PyMongo leaves when it is closed while it connects: they shall be no later test's."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture
def mongo_url(mongo: Any, unclosed_sockets: None) -> Iterator[str]:
    """An empty database for one test."""
    with mongo.fresh() as url:
        yield url


@pytest.fixture
def pubsub_url(pubsub: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """A project of this test's own at the shared emulator, which the environment names as the SDKs expect it."""
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", pubsub.host)
    return str(pubsub.project())


@pytest.fixture(scope="module")
def private_broker(brokers: Brokers) -> Iterator[Callable[..., Any]]:
    """Starts brokers for this module of tests alone, which may kill them: ``private_broker("rabbitmq")``."""
    made: list[Any] = []

    def make(kind: str, **options: Any) -> Any:
        made.append(brokers.private(kind, **options))
        return made[-1]

    yield make
    for own in made:
        own.end()


@functools.cache
def _session() -> Any:
    from aiobotocore.session import get_session

    return get_session()


def _uses(kind: str, fixtures: set[str]) -> bool:
    return kind in fixtures or f"{kind}_url" in fixtures
