"""Schedules: how they are declared, and what is refused at start."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from worker import App, ConfigurationError
from worker.messaging.crontab import crontab_lines
from worker.messaging.schedule import Schedule


def nightly(tick: datetime) -> None: ...


async def hourly() -> None: ...


def declared(*given: Any, call: Any = nightly, **options: Any) -> Schedule:
    app = App("shop")
    assert app.schedule(*given, **options)(call) is call
    (schedule,) = app.registry().entries_of(Schedule)
    return schedule


def faults(declare: Callable[[App], object]) -> str:
    app = App("shop")
    declare(app)
    with pytest.raises(ConfigurationError) as refused:
        app.registry()
    return str(refused.value)


def test_a_schedule_is_named_after_its_function_and_goes_by_utc():
    found = declared("0 3 * * *")
    assert (found.name, found.cron, found.every) == ("nightly", "0 3 * * *", None)
    assert (found.timezone, found.missed) == ("UTC", "once")
    assert found.wants_tick
    assert not found.is_async


def test_a_function_may_take_no_parameter_and_be_async():
    found = declared("@hourly", call=hourly, name="each-hour", missed="all", timezone="Europe/Berlin")
    assert (found.name, found.missed, found.timezone) == ("each-hour", "all", "Europe/Berlin")
    assert found.is_async
    assert not found.wants_tick


@pytest.mark.parametrize("every", [0.1, 30, timedelta(minutes=1)])
def test_every_is_a_length_of_time(every: Any):
    seconds = every.total_seconds() if isinstance(every, timedelta) else every
    assert declared(every=every).every == seconds


class Tools:
    @staticmethod
    def static(tick: datetime) -> None: ...

    def method(self, tick: datetime) -> None: ...

    def __call__(self) -> None: ...


def optional(tick: datetime | None = None) -> None: ...


def told(tick: datetime = datetime(2026, 1, 1)) -> None: ...


def limited(most: int = 10) -> None: ...


def variable(*given: Any) -> None: ...


@pytest.mark.parametrize(
    ("call", "wants_tick"),
    [
        (Tools.static, True),
        (Tools().method, True),
        (told, True),
        (limited, False),
        (variable, False),
        (functools.partial(nightly, datetime(2026, 1, 1)), False),
        (Tools(), False),
    ],
)
def test_the_tick_is_given_to_who_takes_it(call: Any, wants_tick: bool):
    assert declared("@daily", call=call, name="it").wants_tick is wants_tick


def endless(tick: datetime) -> Iterator[None]:
    yield


def two(tick: datetime, more: int) -> None: ...


def keyword(*, tick: datetime) -> None: ...


@pytest.mark.parametrize(
    ("given", "options", "call", "why"),
    [
        ((), {}, nightly, "no time"),
        (("0 3 * * *",), {"every": 3}, nightly, "both"),
        (("0 3 * *",), {}, nightly, "expected five fields"),
        ((5,), {}, nightly, "expected five fields"),
        (("0 3 * * *",), {"timezone": "Mars"}, nightly, "timezone='Mars'"),
        (("0 3 * * *",), {"missed": "alll"}, nightly, "did you mean 'all'"),
        (("0 3 * * *",), {"missed": []}, nightly, r"missed=\[\]"),
        (("0 3 * * *",), {"name": "a b"}, nightly, "name='a b'"),
        (("0 3 * * *",), {"name": 3}, nightly, "name=3"),
        (("0 3 * * *",), {"zone": "UTC"}, nightly, "unknown option zone="),
        (("0 3 * * *",), {}, functools.partial(nightly), "name=None"),
        ((), {"every": 0.05}, nightly, "expected 0.1 s or more"),
        ((), {"every": -1}, nightly, "every=-1"),
        ((), {"every": math.nan}, nightly, "every=nan"),
        ((), {"every": math.inf}, nightly, "every=inf"),
        ((), {"every": True}, nightly, "every=True"),
        ((), {"every": "5"}, nightly, "every='5'"),
        ((), {"every": 5, "timezone": "UTC"}, nightly, "no effect"),
        (("0 3 * * *",), {}, endless, "is a generator"),
        (("0 3 * * *",), {}, two, "takes 2 parameters"),
        (("0 3 * * *",), {}, keyword, "keyword-only"),
        (("0 3 * * *",), {}, Tools.method, "is a method without its object"),
        (("0 3 * * *",), {}, Tools, "is no function"),
        (("0 3 * * *",), {"name": "x"}, 3, "is no function"),
    ],
)
def test_what_cannot_be_meant_is_an_error_at_start(given: Any, options: Any, call: Any, why: str):
    import re

    assert re.search(why, faults(lambda app: app.schedule(*given, **options)(call)))


def test_a_schedule_without_parentheses_has_no_time():
    assert "schedule nightly: has no time" in faults(lambda app: app.schedule(nightly))  # type: ignore[call-overload]


def test_all_faults_of_a_schedule_come_at_once():
    found = faults(
        lambda app: app.schedule("* * *", timezone="Mars", missed="never", name="!")(two)  # type: ignore[call-overload]
    )
    for part in ("five fields", "timezone='Mars'", "missed='never'", "name='!'", "takes 2 parameters"):
        assert part in found


def test_a_name_declared_twice_is_an_error_also_in_an_application_that_is_included():
    other = App("other")
    other.schedule("@daily")(nightly)

    def declare(app: App) -> None:
        app.schedule("@hourly")(nightly)
        app.include(other)

    assert "schedule nightly: the name is declared twice" in faults(declare)


def test_lines_of_the_crontab_are_those_of_all_functions():
    app = App("shop")

    @app.crontab
    def some() -> list[str]:
        return ["0  3 * * *   reindex --all", "@daily\tclean"]

    @app.crontab()
    def none() -> list[str]:
        return []

    assert crontab_lines(app.registry()) == ["0 3 * * * reindex --all", "0 0 * * * clean"]


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (["0 3 * * *"], "expected five fields"),
        (["99 * * * * x"], "bad minute"),
        (["0 3 * * * x\n* * * * * y"], "expected one line"),
        ("0 3 * * * x", "expected a list"),
        ([3], "expected one line"),
        ([""], "expected"),
    ],
)
def test_what_is_no_line_names_its_function(given: Any, why: str):
    app = App("shop")

    @app.crontab
    def wrong() -> Any:
        return given

    with pytest.raises(ConfigurationError, match=rf"crontab .*wrong: .*{why}"):
        crontab_lines(app.registry())


def test_a_function_of_the_crontab_that_raises_is_named():
    app = App("shop")

    @app.crontab
    def broken() -> list[str]:
        raise SystemExit(3)

    with pytest.raises(ConfigurationError, match="broken: SystemExit: 3"):
        crontab_lines(app.registry())


def test_a_function_of_the_crontab_takes_nothing_and_is_plain():
    assert "is async" in faults(lambda app: app.crontab(hourly))
    assert "takes 1 parameters" in faults(lambda app: app.crontab(nightly))
