"""Sizes, durations, table cells, progress, exit codes, logs: the small parts."""

import io
import json
import logging
from datetime import datetime, timedelta, timezone

import click
import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.test_texts import ERRORS, Mute
from worker.cli import report
from worker.cli.data import read_data
from worker.cli.duration import parse_duration
from worker.cli.logging import KEYS, configure
from worker.cli.output import cell
from worker.cli.progress import Progress
from worker.cli.size import parse_size
from worker.errors import (
    ConfigurationError,
    DatabaseUnavailable,
    Guarded,
    InvalidMessage,
    NotFound,
    PublishFailed,
    Reject,
    UnknownType,
    UsageError,
)


@given(
    st.integers(1, 10**9),
    st.sampled_from([("", 0), ("K", 1), ("M", 2), ("G", 3), ("T", 4)]),
    st.sampled_from(["", "B", "iB"]),
)
def test_sizes_count_in_1024(number, unit, tail):
    """A size is its number times 1024 for each step of its unit, in either case of letters."""
    letter, power = unit
    assert parse_size(f"{number}{letter}{tail if letter else ''}") == number * 1024**power
    assert parse_size(f"{number}{letter.lower()}") == number * 1024**power


@pytest.mark.parametrize("text", ["", "0", "-1", "M", "1X", "1 2", "nan", "0.1"])
def test_what_is_no_size_is_refused(text):
    """Nothing, less than a byte, and unknown units are refused."""
    with pytest.raises(ValueError, match="expected a size"):
        parse_size(text)


@given(st.integers(0, 36_500), st.sampled_from([("", 1), ("s", 1), ("m", 60), ("h", 3600), ("d", 86_400)]))
def test_durations_count_in_seconds(number, unit):
    """A duration is its number times the seconds of its unit."""
    assert parse_duration(f"{number}{unit[0]}") == number * unit[1]


@pytest.mark.parametrize("text", ["", "-1", "inf", "nan", "1w", "h"])
def test_what_is_no_duration_is_refused(text):
    """Negative and endless durations are refused."""
    with pytest.raises(ValueError, match="expected seconds"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["9" * 400, "1" + "0" * 15, "40000d"])
def test_a_duration_that_no_date_can_hold_is_refused(text):
    """So that it is not taken for an endless one."""
    with pytest.raises(ValueError, match="expected at most"):
        parse_duration(text)


@given(st.text())
def test_no_control_character_reaches_the_terminal(text):
    """Whatever data holds, a cell is one line of visible characters."""
    shown = cell(text)
    assert shown
    assert not any(ord(sign) < 32 or 127 <= ord(sign) < 160 for sign in shown)


def test_a_time_in_a_table_reads_as_in_every_document():
    """RFC 3339 in UTC, to the millisecond."""
    there = timezone(timedelta(hours=2))
    assert cell(datetime(2026, 12, 1, 14, 28, 55, 933044, there)) == "2026-12-01T12:28:55.933Z"


def test_progress_shows_after_a_second_and_only_to_somebody(capsys):
    """What takes less than a second, or runs in a pipe, shows no progress."""
    now = [0.0]
    with Progress("x", 3, shown=True, now=lambda: now[0]) as quick:
        quick.advance()
        assert not quick.visible
        now[0] = 1.5
        quick.advance()
        assert quick.visible
    with Progress("x", 3, shown=False, now=lambda: now[0]) as unseen:
        now[0] = 9.0
        unseen.advance(2)
        assert not unseen.visible
        assert unseen.done == 2


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigurationError("x"), 2), (UsageError("x"), 2), (InvalidMessage("T", []), 2), (click.UsageError("x"), 2),
        (DatabaseUnavailable("x"), 3), (PublishFailed("x"), 3), (PublishFailed("x", refused=True), 1),
        (NotFound("x"), 4), (UnknownType("x"), 4),
        (Guarded("x"), 5), (Reject("x"), 2), (ValueError("x"), 1), (click.Abort(), 130),
    ],
)  # fmt: skip
def test_each_error_has_the_exit_code_of_the_contract(error, code):
    """Exit codes: 1 the work failed, 2 usage, 3 unreachable, 4 not found, 5 refused."""
    assert report.exit_code(error) == code
    assert report.problem(error)["exit_code"] == code


def test_the_first_of_ours_is_told_of_a_group_of_errors():
    """Of errors that come together, one of the product's own is shown."""
    ours = NotFound("x")
    assert report.first(ExceptionGroup("g", [ValueError("y"), ExceptionGroup("h", [ours])])) is not ours
    assert report.first(ExceptionGroup("g", [ValueError("y"), ours])) is ours


@pytest.fixture
def log():
    """Configure logging onto a buffer."""
    stream = io.StringIO()
    return lambda form, least="info": (configure(least, form, stream), stream)[1]


def test_json_logs_have_the_keys_of_the_contract(log):
    """A JSON line has the contract's keys first, null where they do not apply, and extras after them."""
    stream = log("json")
    structlog.stdlib.get_logger("x").info("done", id="1", transport="sqlite", took=3)
    line = json.loads(stream.getvalue())
    assert tuple(line)[: len(KEYS)] == KEYS
    assert (line["event"], line["level"], line["id"], line["queue"], line["took"]) == (
        "done",
        "info",
        "1",
        None,
        3,
    )


def test_logs_of_libraries_take_the_same_form(log):
    """A library that logs the standard way comes out like ours."""
    stream = log("auto")  # a buffer is no terminal
    logging.getLogger("some.library").warning("slow %s", "query")
    assert json.loads(stream.getvalue())["event"] == "slow query"


@pytest.mark.parametrize("form", ["text", "json"])
def test_any_error_and_any_value_can_be_logged(log, form):
    """Also those that raise when they are asked for their text: the line is written, and nothing is raised."""
    stream = log(form)
    logger = structlog.stdlib.get_logger("x")
    for number, error in enumerate(ERRORS):
        logger.error("number %d.", number, exc_info=error, value=object(), other=Mute())
    try:
        raise Mute
    except Mute:
        logger.exception("in hand")
        logging.getLogger("some.library").exception("in theirs")
    written = stream.getvalue()
    assert all(f"number {number}." in written for number in range(len(ERRORS)))
    assert "in hand" in written
    assert written.count("its text cannot be read: SystemExit") >= 1 or written.count("Mute") >= 2


@pytest.mark.parametrize("form", ["text", "json"])
def test_secrets_are_never_logged(log, form):
    """Passwords in URLs and values under a secret's name are masked, in messages, values and traces."""
    stream = log(form)
    logger = structlog.stdlib.get_logger("x")
    logger.info(
        "reached amqp://u:geheim@h",
        password="geheim",
        options={"api_key": "geheim", "list": ["amqp://u:geheim@h"]},
    )
    try:
        raise ValueError("amqp://u:geheim@h")
    except ValueError:
        logger.exception("failed")
    assert "geheim" not in stream.getvalue()
    assert "ValueError" in stream.getvalue()


def test_levels_below_the_least_are_left_out(log):
    """-l warning leaves info out."""
    stream = log("json", "warning")
    structlog.stdlib.get_logger("x").info("quiet")
    structlog.stdlib.get_logger("x").warning("loud")
    assert [json.loads(line)["event"] for line in stream.getvalue().splitlines()] == ["loud"]


def test_a_field_that_is_given_twice_is_refused():
    """One of the two would be lost without a word."""
    with pytest.raises(UsageError, match="'order_id' is given twice"):
        read_data(["order_id=1", "order_id:=2"])
