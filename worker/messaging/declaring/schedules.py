"""Schedules and lines of the crontab: how they are declared, and what is wrong with their declarations."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, TypeVar, get_args, overload

from worker.messaging.declaring.declarations import Declares
from worker.messaging.declaring.draft import Draft
from worker.messaging.declaring.functions import function_of, generator_fault, name_of
from worker.messaging.declaring.messages import NAME
from worker.messaging.schedule import CrontabLines, Schedule
from worker.schedules.cron import fields_of
from worker.schedules.missed import Missed
from worker.schedules.moments import moment_of
from worker.schedules.trigger import Cron, Every, Trigger
from worker.schedules.zones import zone_named
from worker.seconds import CENTURY, seconds_of
from worker.suggestion import hint

T = TypeVar("T")

SHORTEST = 0.1
"""Seconds: ``every`` is that long at least."""

_OPTIONS = ("every", "name", "timezone", "missed")
_POLICIES: tuple[str, ...] = get_args(Missed)


@dataclass(frozen=True, slots=True)
class ScheduleEntry:
    """A declared schedule before it is checked."""

    call: Any
    cron: Any
    options: Mapping[str, Any]


class DeclaresSchedules(Declares):
    """The decorators of schedules and of lines for the crontab."""

    @overload
    def schedule(
        self,
        cron: str,
        /,
        *,
        name: str | None = None,
        timezone: str = "UTC",
        missed: Literal["skip", "once", "all"] = "once",
    ) -> Callable[[T], T]: ...
    @overload
    def schedule(
        self,
        *,
        every: float | timedelta,
        name: str | None = None,
        missed: Literal["skip", "once", "all"] = "once",
    ) -> Callable[[T], T]: ...
    def schedule(self, cron: Any = None, **options: Any) -> Any:
        """Declare a schedule: ``def nightly(tick: datetime) -> Message | list[Message] | None``, plain or async.

        What the function returns is sent. It may do without the parameter.

        Args:
            cron: five fields, or ``@hourly`` and the like.
            **options: ``every`` (seconds, 0.1 or more, counted from the epoch; instead of ``cron``), ``name`` (the
                function's unless given), ``timezone`` (UTC) and ``missed``: what of the ticks that no scheduler was there
                for is fired: ``skip`` none, ``once`` the last one, ``all`` the last 1,000 at most.
        """
        options = self._declared.known("schedule", options, _OPTIONS)

        def entry(call: Any) -> ScheduleEntry:
            return ScheduleEntry(call, cron, options)

        if callable(cron):  # used bare: it has no time, which is told at start
            self._declared.add(ScheduleEntry(cron, None, options))
            return cron
        return self._decorate(entry, None)

    @overload
    def crontab(self, call: T, /) -> T: ...
    @overload
    def crontab(self) -> Callable[[T], T]: ...
    def crontab(self, call: Any = None) -> Any:
        """Declare a function, ``def () -> list[str]``, that gives lines for the system's crontab: ``m h dom mon dow command``."""
        return self._decorate(lambda it: CrontabLines(name=name_of(it), call=it), call)


def check_schedules(draft: Draft) -> None:
    """Check when and how each schedule is called, and that no two have one name."""
    found: dict[str, Schedule] = {}
    for entry in draft.declared.of(ScheduleEntry):
        name = entry.options.get("name", getattr(entry.call, "__name__", None))
        where = f"schedule {name if isinstance(name, str) else name_of(entry.call)}"
        faults: list[str] = []
        schedule = _checked(entry, name, faults)
        if schedule is not None and schedule.name in found:
            faults.append("the name is declared twice; give one of them a name=")
        elif schedule is not None:
            found[schedule.name] = schedule
        draft.faults.extend(f"{where}: {fault}" for fault in faults)
    draft.keep(Schedule, found.values())


def check_crontab(draft: Draft) -> None:
    """Check how each function is called that gives lines for the crontab."""
    entries = draft.declared.of(CrontabLines)
    for entry in entries:
        fault = _call_fault(entry.call, 0)
        if fault is None and inspect.iscoroutinefunction(function_of(entry.call)):
            fault = "is async; expected a plain function"
        if fault is not None:
            draft.faults.append(f"crontab {entry.name}: {fault}")
    draft.keep(CrontabLines, entries)


def _checked(entry: ScheduleEntry, name: Any, faults: list[str]) -> Schedule | None:
    """Make the schedule; None where something is wrong, which joins ``faults``."""
    options = entry.options
    if not isinstance(name, str) or not NAME.fullmatch(name):
        faults.append(
            f"name={name!r}: expected a letter, then letters, digits, '.', '-' and '_', at most 128"
        )
    missed = options.get("missed", "once")
    if missed not in _POLICIES:
        known = " or ".join(map(repr, _POLICIES))
        faults.append(f"missed={missed!r}: expected {known}{hint(str(missed), _POLICIES)}")
    trigger = _trigger(entry, faults)
    fault = _call_fault(entry.call, 1)
    if fault is not None:
        faults.append(fault)
    if faults or trigger is None:
        return None
    every = options.get("every")
    return Schedule(
        name=name,
        call=entry.call,
        trigger=trigger,
        cron=entry.cron,
        every=None if every is None else seconds_of(every, CENTURY),
        timezone=options.get("timezone", "UTC"),
        missed=missed,
        wants_tick=_wants_tick(entry.call),
        is_async=inspect.iscoroutinefunction(function_of(entry.call)),
    )


def _trigger(entry: ScheduleEntry, faults: list[str]) -> Trigger | None:
    every, zone = entry.options.get("every"), entry.options.get("timezone")
    if (entry.cron is None) == (every is None):
        both = "both a cron expression and every=" if every is not None else "no time"
        faults.append(f"has {both}; expected a cron expression, like '0 3 * * *', or every=SECONDS")
        return None
    try:
        if every is not None:
            if zone is not None:
                faults.append(f"timezone={zone!r} has no effect on every=, which counts from the epoch")
            return Every(moment_of(_length(every)))
    except ValueError as error:
        faults.append(f"every={error}")
        return None
    fields = place = None
    try:
        fields = fields_of(entry.cron)
    except ValueError as error:
        faults.append(str(error))
    try:
        place = zone_named("UTC" if zone is None else zone)
    except ValueError as error:
        faults.append(str(error))
    return None if fields is None or place is None else Cron(fields, place)


def _length(every: object) -> float:
    seconds = seconds_of(every, CENTURY)
    if seconds < SHORTEST:
        raise ValueError(f"{seconds:g}: expected {SHORTEST:g} s or more")
    return seconds


def _call_fault(call: Any, most: int) -> str | None:
    """Say why a function cannot be called with that many arguments at most."""
    expected = "expected a function that takes the tick or nothing" if most else "expected a function"
    if not callable(call) or isinstance(call, type):
        return f"{call!r} is no function; {expected}"
    generator = generator_fault(call)
    if generator is not None:
        return generator
    try:
        required = list(_required(call))
    except (TypeError, ValueError) as error:
        return f"its parameters cannot be read: {error}"
    if inspect.isfunction(call) and required[:1] and required[0].name == "self":
        return "is a method without its object; decorate a function"
    if any(parameter.kind is parameter.KEYWORD_ONLY for parameter in required):
        return f"takes keyword-only parameters; {expected}"
    if len(required) > most:
        return f"takes {len(required)} parameters; {expected if most else 'expected a function without any'}"
    return None


def _wants_tick(call: Any) -> bool:
    """Whether its first parameter is the tick: it must be given, or says that it is a ``datetime``."""
    if any(True for _ in _required(call)):
        return True
    first = next(iter(inspect.signature(call).parameters.values()), None)
    if first is None or first.kind not in {first.POSITIONAL_ONLY, first.POSITIONAL_OR_KEYWORD}:
        return False
    try:
        return typing.get_type_hints(function_of(call)).get(first.name) is datetime
    except (NameError, TypeError):
        return False


def _required(call: Any) -> Iterator[inspect.Parameter]:
    for parameter in inspect.signature(call).parameters.values():
        variable = parameter.kind in {parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD}
        if parameter.default is parameter.empty and not variable:
            yield parameter
