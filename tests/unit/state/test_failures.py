"""The failure store: what failed is kept, found, and put back without a twin."""

from __future__ import annotations

import pytest

from tests.unit.test_texts import ERRORS
from worker.errors import InvalidMessage
from worker.messaging.failure import Attempt, Failure, Filter
from worker.runtime.settling.keeping import Keeper
from worker.state.attempts import LAST
from worker.state.failures import SqlFailures

ALL = Filter()


@pytest.fixture
def store(database):
    return SqlFailures(database)


def attempt(number=1, *, at=1.0, handler="shop.place", error="ValueError", trace="trace") -> Attempt:
    return Attempt(
        attempt=number, at=at, worker="w1", handler=handler, error_type=error, error_message="no", trace=trace
    )


def failure(message_id="m1", *, at=10.0, history=None, **facts) -> Failure:
    given = {
        "type": "PlaceOrder",
        "transport": "sqlite",
        "queue": "q",
        "attempts": 4,
        "decoded": True,
        "body": b"{}",
    }
    history = (attempt(4, at=at),) if history is None else tuple(history)
    return Failure(id=message_id, failed_at=at, history=history, **(given | facts))


async def ids(store, **chosen):
    rows, _ = await store.page(Filter(**chosen), 100)
    return [row.failure.id for row in rows]


async def replayed(store, message_id="m1"):
    """Puts a row back as far as the broker's confirmation; gives its ticket."""
    tickets = await store.ticket([message_id])
    await store.hide(tickets)
    return tickets[message_id]


async def test_a_failure_is_kept_whole(store):
    """Everything about a failure comes back as it went in."""
    kept = failure(key="k", priority=3, body=b"\x00\xff", decoded=False, type=None)
    await store.add([kept])
    row = await store.get("m1")
    assert row.failure == kept
    assert row.ticket is None
    assert await store.get("m2") is None


async def test_the_history_of_earlier_attempts_is_shown(store):
    """What was noted of attempts that were retried stands before the last one."""
    await store.note("m1", [attempt(1, at=1.0)])
    await store.note("m1", [attempt(2, at=2.0)])
    await store.add([failure(history=[attempt(3, at=3.0)])])
    assert [entry.attempt for entry in (await store.get("m1")).failure.history] == [1, 2, 3]


async def test_a_repeat_of_the_same_failure_changes_nothing(store):
    """A failure that is added again after a crash is the same row with the same history."""
    await store.add([failure()])
    await store.add([failure()])
    assert await store.count(ALL) == 1
    assert len((await store.get("m1")).failure.history) == 1


async def test_the_history_is_bounded(store):
    """Only the last attempts are kept, and a long trace keeps its end."""
    for number in range(LAST + 5):
        await store.note("m1", [attempt(number + 1, at=float(number))])
    await store.add([failure(history=[attempt(99, at=999.0, trace="x" * 100_000 + "the end")])])
    history = (await store.get("m1")).failure.history
    assert len(history) == LAST
    assert history[-1].attempt == 99
    assert history[-1].trace.endswith("the end")
    assert len(history[-1].trace) < 25_000


async def test_groups_count_by_type_handler_and_error(store):
    """A message whose two handlers failed counts in both groups; the largest comes first."""
    both = [attempt(handler="shop.a"), attempt(handler="shop.b", error="KeyError")]
    await store.add(
        [failure("m1", at=1.0, history=both), failure("m2", at=2.0, history=[attempt(handler="shop.a")])]
    )
    first, second = await store.groups()
    assert (first.handler, first.error_type, first.count, first.first_at, first.last_at) == (
        "shop.a", "ValueError", 2, 1.0, 2.0,
    )  # fmt: skip
    assert (second.handler, second.error_type, second.count) == ("shop.b", "KeyError", 1)
    assert await ids(store, group=second.group) == ["m1"]
    assert set((await store.get("m1")).groups) == {first.group, second.group}


async def test_a_failure_without_a_history_has_a_group(store):
    """Nothing is in no group."""
    await store.add([failure(history=[])])
    assert [group.count for group in await store.groups()] == [1]


@pytest.mark.parametrize(
    ("chosen", "found"),
    [
        ({}, ["m3", "m2", "m1"]),
        ({"type": "Other"}, ["m2"]),
        ({"transport": "kafka"}, ["m3"]),
        ({"queue": "q2"}, ["m2"]),
        ({"error": "KeyError"}, ["m3"]),
        ({"since": 20.0}, ["m3", "m2"]),
        ({"until": 20.0}, ["m1"]),
        ({"ids": ("m1", "m3", "gone")}, ["m3", "m1"]),
        ({"type": "PlaceOrder", "since": 20.0}, ["m3"]),
        ({"ids": ()}, []),
    ],
)
async def test_filters_hold_together(store, chosen, found):
    """Everything that is given must hold; newest first; counts and ids agree."""
    await store.add([
        failure("m1", at=10.0),
        failure("m2", at=20.0, type="Other", queue="q2"),
        failure("m3", at=30.0, transport="kafka", history=[attempt(error="KeyError")]),
    ])  # fmt: skip
    assert await ids(store, **chosen) == found
    assert await store.count(Filter(**chosen)) == len(found)
    assert await store.ids(Filter(**chosen)) == found[::-1]


async def test_pages_do_not_shift(store):
    """Every row is on exactly one page, though others fail while the pages are read."""
    await store.add([failure(f"m{number}", at=float(number // 2)) for number in range(7)])
    seen, cursor = [], None
    while True:
        rows, cursor = await store.page(ALL, 3, cursor)
        seen += [row.failure.id for row in rows]
        await store.add([failure(f"later{len(seen)}", at=100.0)])
        if cursor is None:
            break
    assert seen == ["m6", "m5", "m4", "m3", "m2", "m1", "m0"]


@pytest.mark.parametrize("cursor", ["", "x", "!!!!", "W10", "bnVsbA"])
async def test_a_wrong_cursor_is_invalid(store, cursor):
    """What is no cursor is named as such."""
    with pytest.raises(InvalidMessage, match="/next"):
        await store.page(ALL, 3, cursor)


async def test_a_replay_is_out_of_sight_until_it_ends(store):
    """Once the broker has confirmed it, a replayed row is neither shown nor counted nor replayed again."""
    await store.add([failure()])
    await replayed(store)
    assert await store.get("m1") is None
    assert await store.count(ALL) == 0
    assert await store.groups() == []
    assert await store.ticket(["m1"]) == {}
    assert await store.remove(["m1"]) == 0


async def test_a_replay_that_is_done_is_gone(store):
    """A resolved row is gone with its history, and its message can fail anew."""
    await store.add([failure()])
    ticket = await replayed(store)
    assert not await store.stale("m1", ticket)
    await store.resolve("m1", ticket)
    assert await store.stale("m1", ticket)
    await store.add([failure(at=99.0)])
    assert len((await store.get("m1")).failure.history) == 1


async def test_a_replay_that_fails_comes_back_to_its_row(store):
    """The row is seen again, with its whole history, and its old ticket is worth nothing."""
    await store.add([failure(at=10.0)])
    ticket = await replayed(store)
    await store.add([failure(at=20.0, ticket=ticket)])
    row = await store.get("m1")
    assert (row.failure.failed_at, len(row.failure.history), row.ticket) == (20.0, 2, None)
    assert await store.stale("m1", ticket)


async def test_a_crash_between_publish_and_hide_makes_no_twin(store):
    """A second retry gives out the same ticket, so that whichever copy comes second is stale."""
    await store.add([failure()])
    first = await store.ticket(["m1", "gone"])
    again = await store.ticket(["m1"])
    assert first == again
    ticket = first["m1"]
    assert not await store.stale("m1", ticket)
    await store.resolve("m1", ticket)
    assert await store.stale("m1", ticket)
    await store.hide(first)
    assert await store.count(ALL) == 0


async def test_a_replay_that_fails_before_it_is_hidden_stays_in_sight(store):
    """A worker may be faster than the one who replays: the failed row must not vanish."""
    await store.add([failure()])
    tickets = await store.ticket(["m1"])
    await store.add([failure(at=20.0, ticket=tickets["m1"])])
    await store.hide(tickets)
    assert await store.get("m1") is not None


async def test_a_twins_failure_is_dropped(store):
    """A copy that fails after the other was done, failed, or was replayed again changes nothing."""
    await store.add([failure()])
    ticket = await replayed(store)
    await store.resolve("m1", ticket)
    await store.add([failure(ticket=ticket)])
    assert await store.count(ALL) == 0
    await store.add([failure(at=10.0)])
    await replayed(store)
    await store.add([failure(at=30.0, ticket=ticket)])
    assert await store.count(ALL) == 0


async def test_a_repeated_delivery_leaves_a_replay_alone(store):
    """The first delivery coming back while its replay is under way does not show the row again."""
    await store.add([failure()])
    ticket = await replayed(store)
    await store.add([failure(at=20.0)])
    assert await store.get("m1") is None
    assert not await store.stale("m1", ticket)


async def test_a_replay_that_can_no_longer_be_read_is_shown_again(store):
    """A worker that cannot decode the replayed message reads no ticket; the row must not stay hidden."""
    await store.add([failure()])
    await replayed(store)
    await store.add([failure(at=20.0, decoded=False)])
    assert await store.get("m1") is not None


async def test_an_edit_makes_earlier_copies_stale(store):
    """A copy with the old data that may be on its way is dropped when it arrives."""
    await store.add([failure(decoded=False)])
    ticket = (await store.ticket(["m1"]))["m1"]
    await store.replace_body("m1", b"new")
    row = await store.get("m1")
    assert (row.failure.body, row.failure.decoded, row.ticket) == (b"new", True, None)
    assert await store.stale("m1", ticket)


async def test_rows_are_removed_with_all_that_belongs_to_them(store):
    """Removing says how many there were and leaves no group and no history."""
    await store.add([failure("m1"), failure("m2")])
    assert await store.remove(["m1", "gone", "m1"]) == 1
    assert [group.count for group in await store.groups()] == [1]
    await store.add([failure("m1", history=[])])
    assert (await store.get("m1")).failure.history == ()


async def test_a_lost_replay_comes_back(store, clock):
    """A replay that never ended (a purged queue) can be shown again; if it does come, it still resolves."""
    await store.add([failure()])
    ticket = await replayed(store)
    assert await store.resurface(60.0) == 0
    clock.advance(61.0)
    assert await store.resurface(60.0) == 1
    assert (await store.get("m1")).ticket == ticket
    assert not await store.stale("m1", ticket)


async def test_histories_of_messages_that_worked_are_pruned(store, clock):
    """Attempts of messages that did not end in the store go after a time; the others stay."""
    await store.note("fine", [attempt(at=clock.now - 100)])
    await store.note("m1", [attempt(at=clock.now - 100)])
    await store.add([failure(history=[attempt(2, at=clock.now - 90)])])
    assert await store.prune(50.0) == 1
    assert len((await store.get("m1")).failure.history) == 2


async def test_any_error_can_be_kept(store):
    """Texts with NUL and lone surrogates, endless ones, and errors that raise when they are asked for theirs."""
    named = [(f"shop.{number}", error) for number, error in enumerate(ERRORS)]
    told = Keeper(store, "w1", lambda: 10.0).attempts(1, named)
    await store.note("m1", told)
    await store.add([failure(history=told, key="k")])
    row = await store.get("m1")
    assert len(row.failure.history) == len(ERRORS)


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"\x00\xff", {"ce_id": "m1", "ce_new": "\u00e9\x00", "content-type": "text/plain"}),
        (b"", {"ce_id": "m1"}),
        (b"\x00command-worker:headers\x00{}\x00x", {}),
    ],
)
async def test_what_came_in_binary_mode_is_kept_with_its_attributes(store, body, headers):
    """The bytes are those that came, whatever they are; an edit leaves a plain body."""
    await store.add([failure(body=body, headers=headers, decoded=False)])
    kept = (await store.get("m1")).failure
    assert (kept.body, kept.headers) == (body, headers)
    await store.replace_body("m1", b"{}")
    kept = (await store.get("m1")).failure
    assert (kept.body, kept.headers) == (b"{}", {})
