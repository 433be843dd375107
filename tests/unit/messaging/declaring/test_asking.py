"""Subscribers that are asked whether they want an event."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from worker import App, ConfigurationError, Retry
from worker.testing import TestWorker


class Moved(msgspec.Struct, frozen=True):
    place: str


def _app() -> App:
    app = App("shop")
    app.event(Moved)
    return app


async def _publish(app: App, *places: str) -> list[Any]:
    async with TestWorker(app) as worker:
        for place in places:
            await worker.send(Moved(place))
        await worker.run_until_idle()
        return list(worker.failed())


async def test_a_subscriber_handles_only_what_it_should() -> None:
    """``should_handle`` is asked with the event; the subscriber beside it hears all."""
    app, north, every = _app(), [], []

    @app.subscriber(should_handle=lambda event: event.place == "north")
    async def some(event: Moved) -> None:
        north.append(event.place)

    @app.subscriber
    def all_of_them(event: Moved) -> None:
        every.append(event.place)

    assert await _publish(app, "north", "south") == []
    assert (north, every) == (["north"], ["north", "south"])


@pytest.mark.parametrize("is_async", [True, False])
async def test_a_class_may_say_so_itself(is_async: bool) -> None:
    """A class with ``should_handle`` and ``handle`` works too, in both colours."""
    app, heard = _app(), []

    if is_async:

        @app.subscriber
        class Heard:
            async def should_handle(self, event: Moved) -> bool:
                return event.place == "north"

            async def handle(self, event: Moved) -> None:
                heard.append(event.place)
    else:

        @app.subscriber
        class HeardInThreads:
            def should_handle(self, event: Moved) -> bool:
                return event.place == "north"

            def handle(self, event: Moved) -> None:
                heard.append(event.place)

    assert len(app.registry().handlers["Moved"]) == 1
    await _publish(app, "south", "north")
    assert heard == ["north"]


async def test_whatever_is_true_is_a_yes() -> None:
    """As in the condition of an ``if``."""
    app, heard = _app(), []

    @app.subscriber(should_handle=lambda event: event.place)
    async def hear(event: Moved) -> None:
        heard.append(event.place)

    await _publish(app, "", "north")
    assert heard == ["north"]


async def _never() -> bool:
    raise AssertionError


@pytest.mark.parametrize(
    ("predicate", "error"),
    [(lambda event: event.no_such_member, "AttributeError"), (lambda event: _never(), "UsageError")],
)
async def test_what_asking_raises_fails_the_subscriber(predicate: Any, error: str) -> None:
    """It is the subscriber's own code; an answer that would have to be awaited is none."""
    app = App("shop")
    app.event(retry=Retry(max_retries=0))(Moved)

    @app.subscriber(should_handle=predicate)
    async def hear(event: Moved) -> None:
        raise AssertionError

    (failed,) = await _publish(app, "north")
    assert failed.error is not None and failed.error.type == error


@pytest.mark.parametrize(
    ("predicate", "fault"),
    [
        (5, "should_handle=5, expected a function of the event"),
        (Moved, "expected a function of the event"),
    ],
)
def test_a_predicate_that_is_none_is_refused_at_start(predicate: Any, fault: str) -> None:
    """What cannot be asked is an error at start."""
    app = _app()

    @app.subscriber(should_handle=predicate)
    async def hear(event: Moved) -> None: ...

    with pytest.raises(ConfigurationError, match="hear") as error:
        app.registry()
    assert fault in str(error.value)


def test_a_thread_cannot_await_its_predicate() -> None:
    """A plain function whose predicate is async would always run."""
    app = _app()

    async def wanted(event: Moved) -> bool:
        return False

    @app.subscriber(should_handle=wanted)
    def hear(event: Moved) -> None: ...

    with pytest.raises(ConfigurationError, match="write both as async def"):
        app.registry()


def test_a_predicate_that_yields_is_refused() -> None:
    """A generator is true whatever it would yield."""
    app = _app()

    def wanted(event: Moved) -> Any:
        yield True

    @app.subscriber(should_handle=wanted)
    def hear(event: Moved) -> None: ...

    with pytest.raises(ConfigurationError, match="should_handle is a generator"):
        app.registry()
