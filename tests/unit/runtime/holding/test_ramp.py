"""The ramp: from one up, halved on trouble, and never again over what was too much."""

from __future__ import annotations

import heapq
import itertools
import random
from collections import deque

import pytest

from worker.runtime.holding.ramp import Ramp, RampPolicy

LIMIT = 300
BACKLOG = 20_000


class Dependency:
    """Fails whatever comes above ``limit`` calls within a second; ``down`` fails everything."""

    def __init__(self, limit=LIMIT):
        self.limit = limit
        self.calls = []
        self.failed = []
        self.down = lambda now: False
        self._recent = deque()

    def call(self, now):
        self.calls.append(now)
        self._recent.append(now)
        while self._recent[0] <= now - 1.0:
            self._recent.popleft()
        well = len(self._recent) <= self.limit and not self.down(now)
        if not well:
            self.failed.append(now)
        return well

    def most(self, after):
        """The most calls within any second that begins after ``after``."""
        most, start = 0, 0
        for end, at in enumerate(self.calls):
            while self.calls[start] <= at - 1.0:
                start += 1
            if self.calls[start] > after:
                most = max(most, end - start + 1)
        return most


def drain(dependency, *, workers=1, slots=16, backlog=BACKLOG, policy=None, seconds=0.01, until=1e9):
    """Work off a backlog with virtual time; what fails comes again at once. Returns how long it took."""
    chance = random.Random(5)
    policy = policy or RampPolicy()
    ramps = [Ramp(policy, 0.0, 1 / workers) for _ in range(workers)]
    running = [0] * workers
    planned = set()
    numbers = itertools.count()
    events = []

    def plan(at, kind, worker, well=False):
        heapq.heappush(events, (at, next(numbers), kind, worker, well))

    def look(now, worker):
        nonlocal backlog
        while backlog and running[worker] < slots:
            delay = ramps[worker].delay(now, running[worker])
            if delay > 0:
                if delay < 1e9 and worker not in planned:
                    planned.add(worker)
                    plan(now + delay + chance.random() * 0.002, "look", worker)
                return
            backlog -= 1
            running[worker] += 1
            ramps[worker].started(now)
            plan(now + seconds * (0.5 + chance.random()), "end", worker, dependency.call(now))

    for worker in range(workers):
        plan(chance.random() * 0.1, "look", worker)
    now = 0.0
    while events and now < until:
        now, _, kind, worker, well = heapq.heappop(events)
        if kind == "end":
            running[worker] -= 1
            ramps[worker].finished(now, well=well)
            if not well:
                backlog += 1
        else:
            planned.discard(worker)
        look(now, worker)
    return now, ramps


@pytest.mark.parametrize("workers", [1, 3, 8])
@pytest.mark.parametrize("seconds", [0.0, 0.01, 0.1])
def test_a_dependency_with_a_limit_is_not_flattened(workers, seconds):
    """Above 300 calls a second it fails; behind 20,000 messages it never sees more than 330, and is kept busy."""
    dependency = Dependency()
    took, _ = drain(dependency, workers=workers, seconds=seconds, slots=32)
    assert dependency.most(after=1.0) <= 330
    assert took <= 1.25 * BACKLOG / LIMIT
    assert len(dependency.failed) <= 0.01 * BACKLOG


def test_no_relapse():
    """Once its limit was found, it fails hardly ever again."""
    dependency = Dependency()
    drain(dependency)
    first = dependency.failed[0]
    assert len([at for at in dependency.failed if at > first + 2.0]) <= 10


def test_it_begins_with_one_at_a_time():
    """The second message starts when the first has ended well."""
    ramp = Ramp(RampPolicy(), 0.0)
    assert ramp.delay(0.0, 0) == 0.0
    ramp.started(0.0)
    assert ramp.delay(5.0, 1) == float("inf")
    ramp.finished(5.0, well=True)
    assert ramp.delay(5.0, 1) == 0.0


def test_a_failure_halves_both():
    """How many run at once, and how many start in a second."""
    ramp = Ramp(RampPolicy(), 0.0)
    now = 0.0
    for _ in range(200):
        now += 0.05
        ramp.delay(now, 0)
        ramp.started(now)
        ramp.finished(now, well=True)
    window = ramp.window
    ramp.finished(now, well=False)
    assert ramp.window == pytest.approx(window / 2, rel=0.1)
    assert ramp.rate == pytest.approx(10.0, rel=0.1)


def test_what_is_down_is_asked_less_and_less_and_taken_up_again():
    """While everything fails it is asked about once a second; afterwards the rate grows back."""
    dependency = Dependency(limit=10_000)
    dependency.down = lambda now: 10.0 < now < 40.0
    drain(dependency, until=70.0, backlog=100_000)
    assert len([at for at in dependency.calls if 30.0 < at < 40.0]) <= 40
    assert len([at for at in dependency.calls if 60.0 < at < 70.0]) >= 1000


def test_few_failures_are_tolerated():
    """Some messages always fail; that is no trouble."""
    ramp = Ramp(RampPolicy(tolerance=0.1), 0.0)
    now = 0.0
    for number in range(2000):
        now += max(ramp.delay(now, 0), 0.001)
        ramp.delay(now, 0)
        ramp.started(now)
        ramp.finished(now, well=number % 20 != 19 or number < 100)
    assert ramp.ceiling is None


def test_it_is_over_when_it_holds_nothing_back():
    """A queue that is worked off needs no ramp."""
    ramp = Ramp(RampPolicy(), 0.0)
    ramp.started(0.0)
    ramp.delay(0.0, 0)
    assert not ramp.over(4.9)
    assert ramp.over(5.1)
