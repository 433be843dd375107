"""Which broker tests get: the named one first; none is a skip, in CI a failure, with the way to get one."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.brokers import docker, kafka, maven, mongo, packages, postgres, rabbitmq, sqs
from tests.brokers.brokers import Brokers
from tests.brokers.ports import choose


@pytest.fixture
def brokers() -> Iterator[Brokers]:
    made = Brokers(os.getpid())
    yield made
    made.close()


@pytest.fixture
def nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without any broker and without a way to one."""
    for module in (rabbitmq, postgres, kafka, sqs, mongo):
        monkeypatch.delenv(module.VARIABLE, raising=False)
    monkeypatch.setattr(rabbitmq, "programs", lambda: None)
    monkeypatch.setattr(postgres, "programs", lambda: None)
    monkeypatch.setattr(maven.Libraries, "find", lambda _: None)
    monkeypatch.setattr(docker, "answers", lambda: False)
    monkeypatch.setattr(packages, "may_install", lambda: False)
    monkeypatch.setenv("WORKER_TEST_INSTALL", "no")


@pytest.mark.parametrize("kind", ["rabbitmq", "postgres", "kafka", "sqs", "mongo"])
@pytest.mark.parametrize(("ci", "outcome"), [("", pytest.skip.Exception), ("true", pytest.fail.Exception)])
def test_missing_broker_says_how_to_get_it(
    brokers: Brokers, nothing: None, monkeypatch: pytest.MonkeyPatch, kind: str, ci: str, outcome: type
) -> None:
    """Where there is none, a test is skipped with one line that says how to get it; in CI it fails."""
    monkeypatch.setenv("CI", ci)
    for _ in range(2):
        with pytest.raises(outcome) as raised:
            brokers.shared(kind)
        reason = str(raised.value)
        assert f"WORKER_TEST_{kind.upper()}=" in reason and "install" in reason and "\n" not in reason
    (line,) = brokers.lines()
    assert line.startswith(f"{kind}: skipped: ")


@pytest.mark.parametrize(
    ("kind", "url"),
    [
        ("rabbitmq", "amqp://a:secret@127.0.0.1:{}/"),
        ("postgres", "postgresql://a:secret@127.0.0.1:{}/x"),
        ("kafka", "kafka://127.0.0.1:{}"),
        ("sqs", "http://a:secret@127.0.0.1:{}"),
        ("mongo", "mongodb://a:secret@127.0.0.1:{}"),
    ],
)
def test_named_broker_that_does_not_answer_is_never_replaced(
    brokers: Brokers, monkeypatch: pytest.MonkeyPatch, kind: str, url: str
) -> None:
    """A broker that was named and does not answer is reported, without its password; no other one is started."""
    monkeypatch.setenv("CI", "")
    monkeypatch.setenv(f"WORKER_TEST_{kind.upper()}", url.format(choose()))
    monkeypatch.setenv(rabbitmq.MANAGEMENT, f"http://a:secret@127.0.0.1:{choose()}")
    with pytest.raises(pytest.skip.Exception, match="does not answer") as raised:
        brokers.shared(kind)
    assert "secret" not in str(raised.value)


def test_two_processes_of_a_run_share_a_server(brokers: Brokers) -> None:
    """What one process of a run has started, another one of the same run finds."""
    first = brokers.shared("postgres")
    other = Brokers(os.getpid(), brokers.place.folder)
    assert other.shared("postgres").url == first.url
    other.close()
    first.execute("SELECT 1")
