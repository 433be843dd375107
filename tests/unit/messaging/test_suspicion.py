"""Rules about messages that were in hand when workers died."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from worker.messaging.suspicion import (
    HOPELESS,
    Death,
    Fate,
    Holder,
    Record,
    Treatment,
    fate,
    handed,
    name_of,
    treatment_of,
)

ME, OTHER = Holder("me", "here", 1), Holder("other", "here", 2)


def dead(_holder: Holder) -> Fate:
    return Fate.DEAD


def test_the_first_that_is_handed_a_message_again_presumes_a_death_and_handles_it_as_any_other() -> None:
    """Nothing was written when it was handed out first."""
    record = handed(None, ME, 5.0, dead)
    assert [(death.worker, death.alone, death.certain) for death in record.deaths] == [("", False, False)]
    assert treatment_of(record) is Treatment.ORDINARY


def test_what_was_in_hand_at_two_deaths_is_handled_alone() -> None:
    """A worker that began it and died makes it suspect."""
    record = msgspec.structs.replace(handed(None, ME, 5.0, dead), holder=OTHER)
    record = handed(record, ME, 6.0, dead)
    assert [death.worker for death in record.deaths] == ["", "other"]
    assert record.holder is None
    assert treatment_of(record) is Treatment.ALONE


def test_two_deaths_alone_make_it_guilty() -> None:
    """Whatever there was before."""
    deaths = (Death(at=1.0, worker="a", alone=True, certain=True), Death(at=2.0, worker="b", alone=True))
    assert treatment_of(Record(deaths=deaths[:1])) is Treatment.ORDINARY
    assert treatment_of(Record(deaths=deaths)) is Treatment.GUILTY


def test_a_holder_that_lives_has_lost_it_only() -> None:
    """A lost lease or connection is no death, nor is one's own."""
    record = Record(holder=OTHER)
    assert handed(record, ME, 5.0, lambda _: Fate.ALIVE) == Record()
    assert handed(record, OTHER, 5.0, dead) == Record()


def test_of_whom_nothing_is_known_may_make_it_suspect_but_never_guilty() -> None:
    """A death must be certain to count as evidence."""
    record = Record()
    for _ in range(2 * HOPELESS):
        record = handed(Record(deaths=record.deaths, holder=OTHER), ME, 5.0, lambda _: Fate.UNKNOWN)
    assert treatment_of(record) is Treatment.ALONE


def test_a_message_that_is_never_alone_is_given_up_at_last() -> None:
    """There is an end also where nothing can be handled alone."""
    record: Record | None = None
    for number in range(HOPELESS):
        assert record is None or treatment_of(record) is not Treatment.GUILTY, number
        record = msgspec.structs.replace(handed(record, ME, 5.0, dead), holder=OTHER)
    assert record is not None
    assert treatment_of(record) is not Treatment.GUILTY
    assert treatment_of(handed(record, ME, 5.0, dead)) is Treatment.GUILTY


@given(st.lists(st.sampled_from(["given back", "lost", "handled on"]), max_size=60))
def test_a_message_whose_workers_live_is_never_suspect(steps: list[str]) -> None:
    """However often it is given back, or its lease or connection is lost."""
    record = handed(None, ME, 1.0, dead)
    for step in steps:
        if step == "given back":
            record = Record(deaths=record.deaths)
        elif step == "lost":
            record = handed(Record(deaths=record.deaths, holder=OTHER), ME, 1.0, lambda _: Fate.ALIVE)
        assert treatment_of(record) is Treatment.ORDINARY


@given(st.lists(st.booleans(), max_size=19))
def test_deaths_beside_others_alone_make_nobody_guilty(certain: list[bool]) -> None:
    """A memory killer or an operator that chooses at random fails nothing."""
    deaths = tuple(Death(at=1.0, worker="w", certain=one) for one in certain)
    assert treatment_of(Record(deaths=deaths)) is not Treatment.GUILTY


def test_the_fate_of_a_worker() -> None:
    """Its process tells where it can be looked at; else its heartbeat, and without one it is gone."""
    assert fate(OTHER, 0.0, 100.0, lambda _: True) is Fate.ALIVE
    assert fate(OTHER, 100.0, 100.0, lambda _: False) is Fate.DEAD
    assert fate(OTHER, 99.0, 100.0, lambda _: None) is Fate.UNKNOWN
    assert fate(OTHER, 80.0, 100.0, lambda _: None) is Fate.DEAD
    assert fate(OTHER, None, 100.0, lambda _: None) is Fate.DEAD


@given(st.text(), st.text(), st.text())
def test_any_id_has_a_name_that_can_be_stored(transport: str, queue: str, delivery_id: str) -> None:
    """Foreign producers choose ids freely."""
    assert len(name_of(transport, queue, delivery_id)) == 48
    assert name_of(transport, queue, "\ud800\0") == name_of(transport, queue, "\ud800\0")
