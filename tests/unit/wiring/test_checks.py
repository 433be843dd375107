"""The application's own health checks, and the document that they join."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from worker import App, ConfigurationError
from worker.runtime.threads import Threads
from worker.wiring import checks as part
from worker.wiring.checks import Checks


def _checks(app: App) -> Checks:
    declared = app.registry().entries_of(part.HealthCheck)
    return Checks(declared, Threads(max(1, len(declared))))


async def _reasons(app: App) -> dict[str, str | None]:
    checks = _checks(app)
    try:
        return await checks.reasons()
    finally:
        checks.close()


async def test_checks_of_both_colours_say_yes_or_no() -> None:
    """True is well; what is neither yes nor no is told as that."""
    app = App("shop")

    @app.health("catalog")
    async def catalog() -> bool:
        return True

    @app.health("index")
    def index() -> bool:
        return False

    @app.health("mail")
    async def mail() -> Any:
        return "fine"

    assert await _reasons(app) == {
        "catalog": None,
        "index": "index: its check says no",
        "mail": "mail: its check says neither yes nor no",
    }


@pytest.mark.parametrize("error", [ValueError("postgresql://u:secret@h"), SystemExit(2), KeyboardInterrupt()])
@pytest.mark.parametrize("is_async", [True, False])
async def test_what_a_check_raises_is_a_no_that_tells_no_secret(error: BaseException, is_async: bool) -> None:
    """The reason names the class; the text goes to the log."""
    app = App("shop")

    async def on_the_loop() -> bool:
        raise error

    def in_a_thread() -> bool:
        raise error

    app.health("catalog")(on_the_loop if is_async else in_a_thread)
    (reason,) = (await _reasons(app)).values()
    assert reason is not None
    assert reason.startswith("catalog: its check raised ")
    assert "secret" not in reason


@pytest.mark.parametrize("is_async", [True, False])
async def test_a_check_that_does_not_end_is_asked_once(
    is_async: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However often health is asked for, it holds one task or one thread; when it ends, it is asked again."""
    monkeypatch.setattr(part, "CHECK_TIMEOUT", 0.05)
    app, calls = App("shop"), list[int]()
    held, let_go = asyncio.Event(), threading.Event()

    async def on_the_loop() -> bool:
        calls.append(1)
        await held.wait()
        return True

    def in_a_thread() -> bool:
        calls.append(1)
        let_go.wait(60)
        return True

    app.health("catalog")(on_the_loop if is_async else in_a_thread)
    checks = _checks(app)
    try:
        for _ in range(3):
            (reason,) = (await checks.reasons()).values()
            assert reason == "catalog: its check has not answered within 0.05 s"
        assert len(calls) == 1
        monkeypatch.setattr(part, "CHECK_TIMEOUT", 60)
        held.set()
        let_go.set()
        assert await checks.reasons() == {"catalog": None}
    finally:
        let_go.set()
        checks.close()


@pytest.mark.parametrize(
    ("name", "call", "fault"),
    [
        ("database", lambda: True, "not the product's own"),
        ("transport.sqlite", lambda: True, "not the product's own"),
        ("no name", lambda: True, "expected a name"),
        (len, lambda: True, "expected a name"),
        ("catalog", 5, "expected a function without parameters"),
        ("catalog", lambda it: True, "takes parameters; expected none"),
    ],
)
def test_a_check_that_is_declared_wrongly_is_an_error_at_start(name: Any, call: Any, fault: str) -> None:
    """Its name would hide a part of the document, or it cannot be asked."""
    app = App("shop")
    app.health(name)(call)
    with pytest.raises(ConfigurationError) as error:
        app.registry()
    assert fault in str(error.value)


def test_two_checks_of_one_name_are_an_error_at_start() -> None:
    """One would hide the other."""
    app = App("shop")
    for _ in range(2):
        app.health("catalog")(lambda: True)
    with pytest.raises(ConfigurationError, match="declared twice"):
        app.registry()
