"""Plugins: enabled by an application or a configuration, and run for the messages whose token lists them."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from typing import Any

import msgspec
import pytest

import worker.wiring.plugins
from worker import App, CallNext, ConfigurationError, Envelope, Plugin, Result, Token
from worker.messaging.stamps import Plugins
from worker.testing import TestWorker
from worker.wiring.plugins import enabled


class Base(msgspec.Struct, frozen=True):
    word: str = ""


class Say(Base, frozen=True): ...


class Whisper(Base, frozen=True): ...


class Other(msgspec.Struct, frozen=True): ...


class Ask(msgspec.Struct, frozen=True): ...


def _shop() -> tuple[App, list[str]]:
    app, said = App("shop"), list[str]()
    for cls in (Say, Whisper, Other):
        app.command(cls)
    app.query(Ask)

    @app.handler
    async def say(command: Say) -> None:
        said.append(command.word)

    @app.handler
    async def whisper(command: Whisper) -> None:
        said.append(command.word)

    @app.handler
    async def other(command: Other) -> None:
        said.append("other")

    @app.handler
    async def ask(query: Ask) -> list[str]:
        return ["asked"]

    return app, said


def _loud(**options: Any) -> Plugin:
    plugin = Plugin("loud")

    @plugin.middleware(on="consume", messages=[Base], **options)
    async def louder(envelope: Envelope[Any], call_next: CallNext) -> Envelope[Any]:
        return await call_next(envelope.with_message(type(envelope.message)(envelope.message.word.upper())))

    return plugin


async def test_a_plugin_runs_for_the_tokens_that_list_it_and_for_messages_without_one() -> None:
    """In one worker, side by side, on a queue; the token is as it was when the message was sent."""
    app, said = _shop()
    app.include(_loud())
    async with TestWorker(app) as worker:
        await worker.send(Say("none"))
        await worker.send(Say("with"), Token("a"), Plugins(("loud",)))
        await worker.send(Say("without"), Token("b"), Plugins(()))
        await worker.send(Say("another"), Token("c"), Plugins(("quiet",)))
        await worker.run_until_idle()
    assert said == ["NONE", "WITH", "without", "another"]


async def test_a_base_class_stands_for_all_messages_below_it() -> None:
    """And for no others."""
    app, said = _shop()
    app.include(_loud())
    async with TestWorker(app) as worker:
        for message in (Say("a"), Whisper("b"), Other()):
            await worker.send(message)
        await worker.run_until_idle()
    assert said == ["A", "B", "other"]


async def test_a_plugin_may_change_an_answer_and_keep_a_message_from_being_handled() -> None:
    """A ``Result`` of its own goes to who asked; what is not called on counts as handled."""
    app, said = _shop()
    plugin = Plugin("strict")

    @plugin.middleware(messages=[Ask])
    async def more(envelope: Envelope[Any], call_next: CallNext) -> Envelope[Any]:
        outcome = await call_next(envelope)
        found = outcome.get(Result)
        assert found is not None
        return outcome.with_(Result([*found.value, "more"]))

    @plugin.middleware(messages=[Say], on="consume")
    async def silent(envelope: Envelope[Any], call_next: CallNext) -> Envelope[Any]:
        return envelope

    app.include(plugin)
    async with TestWorker(app) as worker:
        assert await worker.query(Ask()) == ["asked", "more"]
        await worker.send(Say("a"))
        await worker.run_until_idle()
        assert worker.handled(Say) == [Say("a")]
    assert said == []


def test_what_is_declared_later_and_twice_included_is_there_once() -> None:
    """``include`` remembers the plugin, not what it had."""
    app, _ = _shop()
    plugin = Plugin("late")
    app.include(plugin)
    app.include(plugin)

    @plugin.command
    class Later(msgspec.Struct, frozen=True): ...

    @plugin.handler
    async def later(command: Later) -> None: ...

    registry = app.registry()
    assert "Later" in registry.messages
    assert registry.plugins == ("late",)


async def test_its_handlers_are_there_for_every_token() -> None:
    """A token without the plugin reaches what the plugin handles; only middleware is switched."""
    app, _ = _shop()
    plugin, heard = Plugin("more"), list[Any]()

    @plugin.command
    class More(msgspec.Struct, frozen=True): ...

    @plugin.handler
    async def more(command: More) -> None:
        heard.append(command)

    app.include(plugin)
    async with TestWorker(app) as worker:
        await worker.send(More(), Token("b"), Plugins(()))
        await worker.run_until_idle()
    assert heard == [More()]


@pytest.mark.parametrize(
    ("plugins", "fault"),
    [
        ([Plugin("a"), Plugin("a")], "two plugins of one name"),
        ([Plugin("no name")], "Plugin('no name'): expected a name"),
        (["laud"], "plugin 'laud': nothing is declared under this name, and no installed plugin has it; did you mean 'loud'?"),
        ([_loud(plugin="other")], "plugin 'loud': it declares something with plugin='other'"),
    ],
)  # fmt: skip
def test_plugins_that_cannot_be_meant_are_refused(plugins: list[Plugin | str], fault: str) -> None:
    """At start, with all other faults."""
    app, _ = _shop()
    app.include(_loud()) if plugins == ["laud"] else None
    with pytest.raises(ConfigurationError) as error:
        app.registry(plugins)
    assert fault in str(error.value)


def test_an_application_enables_by_name_what_its_middleware_declares() -> None:
    """``App(plugins=...)``, and ``plugins`` in the configuration likewise; without either it never runs."""
    app, _ = _shop()

    @app.middleware(plugin="audit")
    async def audit(envelope: Envelope[Any], call_next: CallNext) -> Envelope[Any]:
        return await call_next(envelope)

    assert app.registry().plugins == ()
    assert app.registry(["audit"]).plugins == ("audit",)
    app.plugins = ("audit",)
    assert app.registry().plugins == ("audit",)


def _installed(monkeypatch: pytest.MonkeyPatch, value: object, name: str = "loud") -> None:
    class Point(EntryPoint):
        def load(self) -> object:
            if isinstance(value, Exception):
                raise value
            return value

    points = [Point(name=name, value="pack:plugin", group=worker.wiring.plugins.GROUP)]
    monkeypatch.setattr(worker.wiring.plugins, "entry_points", lambda group: points)


def test_installed_plugins_are_enabled_by_the_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that no package has is left for the application to know."""
    plugin = _loud()
    _installed(monkeypatch, plugin)
    assert enabled(["loud", "audit"]) == [plugin, "audit"]


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        (ImportError("no module"), "'loud' (pack:plugin): cannot be loaded: ImportError: no module"),
        (App("loud"), "is a App, expected a worker.Plugin"),
        (Plugin("quiet"), "calls itself 'quiet'"),
    ],
)
def test_installed_plugins_that_are_none_are_refused(
    monkeypatch: pytest.MonkeyPatch, value: object, fault: str
) -> None:
    """The error names the package's entry."""
    _installed(monkeypatch, value)
    with pytest.raises(ConfigurationError) as error:
        enabled(["loud"])
    assert fault in str(error.value)
