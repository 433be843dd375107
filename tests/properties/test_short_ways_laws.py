"""Laws of the short ways: each comes to the same as the long way beside it, whatever goes in."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Any, NamedTuple

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.http.resources.kit import resource_of
from transports.sqlite import schema, settling
from transports.sqlite.claiming import Receipt
from transports.sqlite.numbers import Numbers
from worker import App, CallNext, Envelope, Post, Stamp, StepFailed, WrongMiddleware
from worker.errors import InvalidMessage, Malformed, Paused
from worker.messaging.abilities import Confirms
from worker.messaging.bus import Bus
from worker.messaging.rewriting import write_stamps
from worker.messaging.sender import Sender
from worker.messaging.serializer import _written
from worker.messaging.stamps import Plugins, Token, name_of
from worker.messaging.transport import ACCEPTED, Ack, Delivery, Features, Outcome, OutcomeKind, Outgoing
from worker.resources import RequestEvent
from worker.resources.depth import MOST
from worker.resources.lifecycle import LifeCycle, chain_of, stage
from worker.resources.reading import Bodies
from worker.resources.stamps import Requested
from worker.tokens.principal import ANYONE
from worker.wiring.chains import built_in, chain


class PlaceOrder(msgspec.Struct, frozen=True):
    order_id: str


class Stay(msgspec.Struct, frozen=True):
    pass


class Mark(Stamp):
    value: str


async def place_order(command: PlaceOrder) -> None: ...


async def stay(command: Stay) -> None: ...


# --- posting a batch in the middle of a turn, or publishing it after ---------------------------------------------------

FATES = (ACCEPTED, Outcome(OutcomeKind.UNROUTABLE), Outcome(OutcomeKind.REFUSED, "too large"))


class Publishes:
    """A transport that notes what is written, and gives each message the fate that its id asks for."""

    name = "fake"

    def __init__(self, fates: Sequence[Outcome], max_batch: int) -> None:
        self.features = Features(max_batch=max_batch)
        self.written: list[str] = []
        self._fates = fates

    async def publish(self, batch: Sequence[Outgoing]) -> Sequence[Outcome]:
        self.written += [outgoing.id for outgoing in batch]
        return await self._answered(batch)

    async def _answered(self, batch: Sequence[Outgoing]) -> Sequence[Outcome]:
        await asyncio.sleep(0)
        return [self._fates[int(outgoing.id)] for outgoing in batch]


class PostsToo(Publishes):
    """The same, that posts in those of its turns in which nothing is in the way."""

    def __init__(self, fates: Sequence[Outcome], max_batch: int, free: Sequence[bool]) -> None:
        super().__init__(fates, max_batch)
        self._free = list(free)

    def post(self, batch: Sequence[Outgoing]) -> Confirms | None:
        if self._free and not self._free.pop(0):
            return None
        self.written += [outgoing.id for outgoing in batch]
        return lambda: self._answered(batch)


@settings(max_examples=40)
@given(
    st.integers(0, 230),
    st.lists(st.sampled_from(FATES), min_size=1, max_size=7),
    st.sampled_from([1, 7, 100]),
    st.lists(st.booleans(), max_size=4),
)
def test_what_is_posted_fares_as_what_is_published(
    count: int, fates: list[Outcome], max_batch: int, free: list[bool]
) -> None:
    """Each message is written once, in the order of asking, and its sender hears its own fate."""
    each = [fates[number % len(fates)] for number in range(count)]
    publishes, posts = Publishes(each, max_batch), PostsToo(each, max_batch, free)
    assert asyncio.run(_sent(posts, count)) == asyncio.run(_sent(publishes, count))
    assert posts.written == publishes.written == [str(number) for number in range(count)]


async def _sent(transport: Any, count: int) -> list[str | None]:
    sender = Sender(transport)
    batch = [Outgoing(queue="q", id=str(number), type="Go", body=b"{}") for number in range(count)]
    heard = await asyncio.gather(*map(sender.send, batch), return_exceptions=True)
    return [None if error is None else f"{type(error).__name__}: {error}" for error in heard]


# --- removing what was acked without looking first, or after a look at who holds it ------------------------------------

ROWS = 6
ACKS = st.lists(st.lists(st.tuples(st.integers(1, ROWS), st.sampled_from([1, 2, 9])), max_size=5), max_size=3)
"""For each of some operations, the rows that it acks and the claims under which it had them: 1, 2, or one that is over."""


@settings(max_examples=60)
@given(ACKS)
def test_what_is_acked_without_a_look_is_gone_as_after_one(acks: list[list[tuple[int, int]]]) -> None:
    """The same rows go, and each ack hears the same of its message."""
    with pytest.MonkeyPatch.context() as patch:
        quick = _settled(acks)
        patch.setattr(settling, "_all_acked", lambda connection, operations: False)
        assert quick == _settled(acks)


def _settled(acks: list[list[tuple[int, int]]]) -> Any:
    loop = asyncio.new_event_loop()
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection, closing(loop):
        connection.execute("BEGIN")
        schema.create(connection)
        connection.executemany(
            "INSERT INTO transport_messages (id, queue, message_id, body, visible_at, lease, deaths)"
            " VALUES (?, 1, ?, 'x', 1e9, ?, 1)",
            [(row, f"m{row}", 1 + row % 2) for row in range(1, ROWS + 1)],
        )
        operations = [
            settling.Settle(loop.create_future(), [_ack(row, lease) for row, lease in some], 0.0)
            for some in acks
        ]
        settling.Settle.perform(connection, Numbers(), 0.0, operations)
        left = connection.execute("SELECT id, lease FROM transport_messages ORDER BY id").fetchall()
        return left, [operation.result for operation in operations]


def _ack(row: int, lease: int) -> Ack:
    delivery = Delivery(
        queue="q",
        id=f"m{row}",
        body=b"x",
        headers={},
        key=None,
        deaths=0,
        redelivered=False,
        receipt=Receipt(row, lease),
    )
    return Ack(delivery)


# --- holding a middleware to its promise where messages are consumed, or where they are sent ---------------------------

GIVEN: dict[str, Callable[[Envelope[Any]], Any]] = {
    "as it came": lambda envelope: envelope,
    "marked": lambda envelope: envelope.with_(Mark("a")),
    "with another message": lambda envelope: envelope.with_message(PlaceOrder("8")),
    "with a stranger": lambda envelope: msgspec.structs.replace(envelope, message=Stay()),
    "of another type": lambda envelope: msgspec.structs.replace(envelope, message=Stay(), type="Stay"),
    "no envelope": lambda envelope: None,
}


@given(st.none() | st.sampled_from(list(GIVEN)), st.sampled_from(["inner", *GIVEN]))
def test_a_middleware_is_held_to_the_same_promise_on_both_sides(passed: str | None, returned: str) -> None:
    """What calls on once at most, and leaves the id alone, is right on both sides or wrong on both."""

    async def scripted(envelope: Envelope[Any], call_next: CallNext) -> Any:
        inner = envelope if passed is None else await call_next(GIVEN[passed](envelope))
        return inner if returned == "inner" else GIVEN[returned](envelope)

    dispatched, consumed = (asyncio.run(_through(scripted, side)) for side in ("dispatch", "consume"))
    assert dispatched == consumed


async def _through(middleware: Any, side: Any) -> Any:
    house = App("shop")
    for cls, handler in ((PlaceOrder, place_order), (Stay, stay)):
        house.command(cls)
        house.handler(handler)
    house.middleware(middleware)
    registry = house.registry()
    passed: list[Envelope[Any]] = []

    async def last(envelope: Envelope[Any], _call_next: CallNext) -> Envelope[Any]:
        passed.append(envelope)
        return envelope

    bus = Bus("command", side, registry, chain(registry, [built_in("handle", last, -1)]), lambda: 1.0)
    try:
        outcome = await bus.handle(Envelope(message=PlaceOrder("7"), type="PlaceOrder", id="1"))
    except WrongMiddleware:
        return passed, None
    return passed, outcome


# --- calling the stages of a request one after the other, or running them as steps -------------------------------------

GROUP = st.sampled_from(["request", "view", "response", "exception"])
DOES = st.sampled_from(
    ["nothing", "wait", "respond", "respond late", "raise", "raise late", "be cancelled", "exit", "be paused"]
)
FAILURES: dict[str, Callable[[], BaseException]] = {
    "raise": ValueError,
    "raise late": lambda: StepFailed("a", "b", None, ValueError()),
    "be cancelled": asyncio.CancelledError,
    "exit": SystemExit,
    "be paused": Paused,
}


@given(st.lists(st.tuples(GROUP, DOES), max_size=8))
def test_stages_called_one_after_the_other_fare_as_steps(stages: list[tuple[str, str]]) -> None:
    """The same of them run, in the same order, to the same answer and the same error; or the request ends in the same way."""
    assert asyncio.run(_answered(stages, quiet=True)) == asyncio.run(_answered(stages, quiet=False))


class Said(NamedTuple):
    """An answer, as far as an event knows answers."""

    what: Any

    def __call__(self) -> None: ...


async def _answered(stages: list[tuple[str, str]], *, quiet: bool) -> Any:
    ran: list[Any] = []
    steps = [
        stage(str(number), group, -number, _stage(number, does, ran), quiet=quiet)
        for number, (group, does) in enumerate(stages)
    ]
    facts = {"class": PlaceOrder, "action": "create"}
    scope = {"path_params": {}, "principal": ANYONE}
    event = RequestEvent(facts, lambda *_: None, scope, {}, asyncio.Event().wait, Post(), None)
    life_cycle = LifeCycle(chain_of(facts, steps, []), lambda event, error: Said(repr(error)))
    try:
        return ran, await life_cycle.run(event), repr(event.error)
    except BaseException as ended:
        return ran, type(ended)


def _stage(number: int, does: str, ran: list[Any]) -> Callable[[RequestEvent], Any]:
    def do(event: RequestEvent) -> None:
        ran.append((number, repr(event.error)))
        if does.startswith("respond"):
            event.response = Said(number)
        elif does in FAILURES:
            error = FAILURES[does]()
            raise error

    async def late(event: RequestEvent) -> None:
        await asyncio.sleep(0)
        do(event)

    return late if "late" in does or does == "wait" else do


# --- keeping what is written of stamps, or writing them again ----------------------------------------------------------

NAMES = st.sampled_from(["", "a", "é", "1", "True"])
STAMPS = st.one_of(
    st.builds(Token, NAMES),
    st.builds(Plugins, st.lists(NAMES, max_size=2).map(tuple) | st.lists(NAMES, max_size=2)),
    st.builds(Requested, NAMES, NAMES, NAMES, st.dictionaries(NAMES, NAMES, max_size=1)),
    st.builds(Mark, NAMES),
)


@given(st.lists(st.lists(STAMPS, unique_by=type).map(tuple), min_size=1, max_size=4))
def test_stamps_are_written_as_they_are_without_looking_them_up(messages: list[tuple[Stamp, ...]]) -> None:
    """Also when their like was written before."""
    for stamps in messages:
        anew = write_stamps({name_of(stamp): stamp for stamp in stamps}) if stamps else None
        written = _written(stamps) if stamps else None
        assert msgspec.json.encode(written) == msgspec.json.encode(anew)


# --- asking how deep a body is only where it does not fit a class that has no such depth, or always -------------------

LEVELS = st.integers(0, 3) | st.integers(MOST - 2, MOST + 2) | st.just(5000)


@given(
    st.sampled_from(["order_id", "other"]),
    st.sampled_from(["[]", "{}"]),
    LEVELS,
    st.sampled_from(["", "}", " "]),
)
def test_a_body_fares_as_where_its_depth_is_asked_first(name: str, kind: str, levels: int, end: str) -> None:
    """It is read to the same object, or refused for the same reason."""
    value = "[" * levels + "]" * levels if kind == "[]" else '{"a":' * levels + "1" + "}" * levels
    body = f'{{"order_id": "7", "{name}": {value if levels else chr(34) * 2}}}{end}'.encode()
    resource = resource_of(PlaceOrder, "/orders", Post(), identifier="order_id")
    bodies = Bodies(resource, resource.operations[0], resource.shape, whole=True)
    assert bodies._shallow
    asked_late = _read(bodies, body)
    bodies._shallow = False
    assert asked_late == _read(bodies, body)


def _read(bodies: Bodies, body: bytes) -> Any:
    try:
        return bodies.read(body, "json", None, {})
    except (InvalidMessage, Malformed) as refused:
        return type(refused), str(refused)
