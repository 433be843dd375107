"""What rules come to for one type: the later counts, several pauses are one, exceptions hold."""

from __future__ import annotations

import pytest

from worker.messaging.pausing import (
    EVERYTHING,
    Change,
    Pauses,
    Rule,
    Scope,
    Target,
    outlived,
    paused,
    resumed,
)

ORDER = Target("PlaceOrder", "command", "sqlite", "shop-place-order")
MAIL = Target("mail.send", "command", "sqlite", "shop-mail")
PLACED = Target("OrderPlaced", "event", "sqlite", "shop-order-placed")
ALL = (ORDER, MAIL, PLACED)


class Table:
    """Rules as the store keeps them."""

    def __init__(self):
        self.pauses = Pauses()
        self.now = 1000.0
        self._number = 0

    def pause(self, *scopes, actor="anna", reason=None, until=None):
        return self._apply(paused(self.pauses, scopes, actor=actor, reason=reason, now=self.now, until=until))

    def resume(self, *scopes):
        targets = [target for target in ALL if any(scope.covers(target) for scope in scopes)]
        return self._apply(resumed(self.pauses, scopes, targets, actor="anna", now=self.now))

    def holding(self):
        return [rule for rule in self.pauses.rules if rule.origin != "ramp"]

    def paused(self):
        return {target.type for target in ALL if self.pauses.of(target, self.now)}

    def of(self, target):
        return self.pauses.of(target, self.now)

    def _apply(self, change: Change):
        gone = {*change.gone, *outlived(self.pauses, self.now)}
        rules = [rule for rule in self.pauses.rules if rule.number not in gone]
        for rule in change.made:
            self._number += 1
            rules.append(
                Rule(**{n: getattr(rule, n) for n in rule.__struct_fields__} | {"number": self._number})
            )
        self.pauses = Pauses(version=self.pauses.version + 1, rules=tuple(rules))
        return change


@pytest.fixture
def table():
    return Table()


def by_type(target):
    return Scope("type", target.type)


@pytest.mark.parametrize(
    ("scope", "types"),
    [
        (EVERYTHING, {"PlaceOrder", "mail.send", "OrderPlaced"}),
        (Scope("kind", "event"), {"OrderPlaced"}),
        (Scope("kind", "command"), {"PlaceOrder", "mail.send"}),
        (Scope("type", "PlaceOrder"), {"PlaceOrder"}),
        (Scope("pattern", "mail.*"), {"mail.send"}),
        (Scope("queue", "shop-mail"), {"mail.send"}),
        (Scope("queue", "shop-*order*"), {"PlaceOrder", "OrderPlaced"}),
    ],
)
def test_a_pause_covers_its_scope_and_a_resume_of_it_ends_it(table, scope, types):
    """Each scope pauses what it says, and resuming the same leaves no rule behind."""
    table.pause(scope)
    assert table.paused() == types
    table.resume(scope)
    assert table.paused() == set()
    assert table.holding() == []


def test_two_pauses_by_different_actors_are_one_and_one_resume_ends_it(table):
    """It shows the first actor and when that was; one resume ends it."""
    table.pause(by_type(ORDER), actor="anna", reason="deploy")
    table.now += 60
    table.pause(by_type(ORDER), actor="ben", reason="me too")
    found = table.of(ORDER)
    assert (found.actor, found.since, found.reason) == ("anna", 1000.0, "deploy")
    table.resume(by_type(ORDER))
    assert table.paused() == set()


def test_a_timed_pause_ends_by_itself(table):
    """It holds until its end and not a moment longer."""
    table.pause(by_type(ORDER), until=table.now + 10)
    table.now += 9.99
    assert table.of(ORDER).until == 1010.0
    table.now += 0.01
    assert table.paused() == set()


def test_of_two_pauses_the_later_end_counts(table):
    """A timed pause does not end one without end, in whatever order they came."""
    table.pause(by_type(ORDER))
    table.pause(by_type(ORDER), until=table.now + 10)
    table.pause(by_type(MAIL), until=table.now + 10)
    table.pause(Scope("pattern", "mail.*"), until=table.now + 20)
    assert table.of(ORDER).until is None
    assert table.of(MAIL).until == 1020.0
    table.now += 15
    assert table.paused() == {"PlaceOrder", "mail.send"}


def test_one_type_can_be_resumed_out_of_a_wider_pause(table):
    """The others stay paused, also those that are declared later; pausing everything again takes it in."""
    table.pause(EVERYTHING, reason="maintenance")
    table.resume(by_type(ORDER))
    assert table.paused() == {"mail.send", "OrderPlaced"}
    assert table.of(Target("New", "command", "sqlite", "new")).reason == "maintenance"
    table.pause(EVERYTHING)
    assert table.paused() == {"PlaceOrder", "mail.send", "OrderPlaced"}
    table.resume(EVERYTHING)
    assert table.holding() == []


def test_a_pause_after_an_exception_counts(table):
    """Of a resume and a pause of one type the later wins."""
    table.pause(Scope("kind", "command"))
    table.resume(by_type(ORDER))
    table.pause(by_type(ORDER), actor="ben")
    assert table.of(ORDER).actor == "ben"


def test_resuming_what_runs_changes_nothing(table):
    """No rule is made where none is needed."""
    assert table.resume(by_type(ORDER)).empty
    assert table.resume(EVERYTHING).empty


def test_ended_pauses_and_their_exceptions_are_swept_away(table):
    """What means nothing any more goes with the next change."""
    table.pause(EVERYTHING, until=table.now + 10)
    table.resume(by_type(ORDER))
    table.now += 11
    table.pause(by_type(MAIL))
    assert [rule.scope for rule in table.holding()] == [by_type(MAIL)]


def breaker(number, until):
    return Rule(
        number=number,
        action="pause",
        scope=by_type(ORDER),
        actor="breaker",
        origin="breaker",
        since=900.0,
        until=until,
    )


def test_a_breakers_pause_shows_behind_an_operators(table):
    """Both hold; the operator's is shown, and outlives the breaker's."""
    table.pauses = Pauses(rules=(breaker(1, 1010.0),))
    assert table.of(ORDER).actor == "breaker"
    table._number = 1
    table.pause(by_type(ORDER), actor="anna")
    assert table.of(ORDER).actor == "anna"
    assert len(table.holding()) == 2


def test_a_breakers_pause_outlasts_its_end_until_somebody_has_probed(table):
    """Its end is when a probe is due, and no earlier leave to run."""
    table.pauses = Pauses(rules=(breaker(1, 1010.0),))
    table.now = 2000.0
    assert table.of(ORDER).actor == "breaker"


def test_an_operator_overrides_a_breaker(table):
    """Resuming the type takes the breaker's pause away."""
    table.pauses = Pauses(rules=(breaker(1, 1010.0),))
    table.resume(by_type(ORDER))
    assert table.holding() == []


def test_a_pause_leaves_a_trace_for_workers_that_start_afterwards(table):
    """How long it was is known for ten minutes, however it ended; and nothing is held by it."""
    table.pause(by_type(ORDER))
    table.pause(by_type(MAIL), until=table.now + 100)
    table.now += 100
    assert table.pauses.ended(MAIL, table.now).since == 1000.0
    table.resume(EVERYTHING)
    for target in (ORDER, MAIL):
        found = table.pauses.ended(target, table.now + 599)
        assert found is None if target == MAIL else (found.since, found.until) == (1000.0, 1100.0)
    assert table.paused() == set()
    assert table.pauses.ended(ORDER, table.now + 601) is None
    assert table.pauses.ended(PLACED, table.now) is None
    assert table.resume(EVERYTHING).empty
