"""Faults of an application: of what it declares and of how that is routed, in one error."""

from __future__ import annotations

import msgspec
import pytest

from worker import App


class Pay(msgspec.Struct, frozen=True):
    amount: int


class Refund(msgspec.Struct, frozen=True):
    amount: int


def wrong() -> App:
    """An application of two commands without handlers."""
    app = App("shop")
    app.command(Pay)
    app.command(transport="rabitmq")(Refund)
    return app


@pytest.mark.parametrize("command", ["run", "serve", "consume", "check", "setup"])
def test_wrong_declarations_and_wrong_routes_are_told_at_once(worker, service, monkeypatch, command):
    """An author who has mended the first is not told of the second only then."""
    monkeypatch.setattr(service, "load_app", lambda target, base: wrong())
    page = worker(command)
    assert page.code == 2
    assert page.err.count("no handler") == 2
    assert "'Refund': routed to 'rabitmq', which is not configured" in page.err


@pytest.mark.parametrize(
    "options", [{"priority": "high"}, {"queue": 5}, {"transport": ["x"]}, {"aliases": [[]]}]
)
def test_declarations_of_any_kind_are_told(worker, service, monkeypatch, options):
    """Also where what they come to can have no routes."""
    app = wrong()
    app.command(**options)(msgspec.defstruct("Odd", [], frozen=True))

    @app.handler(priority=options.get("priority", 0))
    async def pay(command: Pay) -> None: ...

    monkeypatch.setattr(service, "load_app", lambda target, base: app)
    page = worker("check")
    assert page.code == 2
    assert "'Odd'" in page.err
    assert "Traceback" not in page.err


def test_without_an_application_the_folder_that_has_no_file_is_named(worker, tmp_path):
    """A user in the wrong folder sees which one was looked into."""
    (tmp_path / "worker.toml").unlink()
    page = worker("check")
    assert page.code == 2
    assert "app: missing; expected module:attribute, by -A/--app, WORKER_APP or app =" in page.err
    assert f"; there is no worker.toml in {tmp_path}" in page.err
