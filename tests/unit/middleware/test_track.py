"""Track: what the sending side knows of a command's status."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from worker import App, Envelope, Sent
from worker.errors import HandlersFailed
from worker.messaging.middleware import CallNext
from worker.messaging.stamps import Collect
from worker.messaging.status import StatusChange
from worker.middleware.track import Track

app = App("shop")


@app.command
class Go(msgspec.Struct, frozen=True):
    pass


@app.command(track=False)
class Quiet(msgspec.Struct, frozen=True):
    pass


@app.event
class Gone(msgspec.Struct, frozen=True):
    pass


@app.handler
async def go(command: Go) -> None: ...


@app.handler
async def quiet(command: Quiet) -> None: ...


class FakeRecorder:
    def __init__(self) -> None:
        self.changes: list[StatusChange] = []

    def record(self, change: StatusChange) -> None:
        self.changes.append(change)


class Clock:
    """Each look at it takes a second."""

    def __init__(self) -> None:
        self.now = 99.0

    def __call__(self) -> float:
        self.now += 1
        return self.now


@pytest.fixture
def recorder() -> FakeRecorder:
    return FakeRecorder()


@pytest.fixture
def track(recorder: FakeRecorder) -> Track:
    return Track(app.registry(), recorder, Clock())


def envelope(message: Any, *stamps: Any) -> Envelope[Any]:
    return Envelope(message=message, type=type(message).__name__, id="7", time="then", stamps=stamps)


def tracked(track: Track, onward: CallNext) -> CallNext:
    """The step for commands that are tracked."""
    made = track.for_facts({"type": "Go"}, onward)
    assert made is not None
    return made


async def send(envelope: Envelope[Any]) -> Envelope[Any]:
    return envelope.with_(Sent("sqlite", "q"))


async def handle(envelope: Envelope[Any]) -> Envelope[Any]:
    return envelope


async def test_a_sent_command_is_accepted_as_of_before_the_sending(
    track: Track, recorder: FakeRecorder
) -> None:
    """A worker that is quicker than the confirmation has the last word."""
    await tracked(track, send)(envelope(Go()))
    (change,) = recorder.changes
    assert (change.state, change.at, change.transport, change.queue, change.attempt, change.accepted_at) == (
        "accepted",
        100.0,
        "sqlite",
        "q",
        0,
        "then",
    )


async def test_a_command_handled_at_once_is_done(track: Track, recorder: FakeRecorder) -> None:
    """With the time of its start and its end."""
    await tracked(track, handle)(envelope(Go()))
    (change,) = recorder.changes
    assert (change.state, change.started_at, change.at, change.transport) == ("done", 100.0, 101.0, "inline")


async def test_a_command_that_fails_at_once_is_failed(track: Track, recorder: FakeRecorder) -> None:
    """With the first handler's error; the caller hears of it too."""

    async def fail(envelope: Envelope[Any]) -> Envelope[Any]:
        raise HandlersFailed(envelope, [("a", KeyError("x"))])

    with pytest.raises(HandlersFailed):
        await tracked(track, fail)(envelope(Go()))
    (change,) = recorder.changes
    assert (change.state, change.error_type, change.error_message) == ("failed", "KeyError", "'x'")


async def test_a_command_that_could_not_be_sent_has_no_status(track: Track, recorder: FakeRecorder) -> None:
    """It was never accepted."""

    async def fail(envelope: Envelope[Any]) -> Envelope[Any]:
        raise OSError

    with pytest.raises(OSError):
        await tracked(track, fail)(envelope(Go()))
    assert recorder.changes == []


async def test_what_leaves_later_has_no_status_yet(track: Track, recorder: FakeRecorder) -> None:
    """A handler's commit decides whether it leaves at all."""
    await tracked(track, send)(envelope(Go(), Collect([])))
    assert recorder.changes == []


def test_other_messages_have_no_status(track: Track) -> None:
    """Untracked types and events are left alone; tracked ones are not."""
    made = [track.for_facts({"type": name}, send) for name in ("Go", "Quiet", "Gone")]
    assert [one is None for one in made] == [False, True, True]
