"""A command's status row, and the one rule by which a later step joins an earlier one."""

from __future__ import annotations

import msgspec

from worker.messaging.bus import timestamp
from worker.messaging.status import CommandStatus, ErrorDocument, State, StatusChange
from worker.state.statement import Statement

_ENDED = ("done", "failed")
_UNDER_WAY = ("running", "retrying")


class StatusRow(msgspec.Struct, kw_only=True, gc=False):
    """What is known of one command; the columns of the table, times as there."""

    id: str
    type: str
    state: State
    transport: str
    queue: str
    attempts: int
    at: float
    put_back_at: float = 0.0
    accepted_at: str | None = None
    started_at: float | None = None
    finished_at: float | None = None
    error_type: str | None = None
    error_message: str | None = None
    worker: str = ""


def row_of(change: StatusChange, worker: str = "") -> StatusRow:
    """Make a row of a single step, noted by a worker.

    ``accepted`` comes in three kinds: the first time (of no attempt; only tells when that was), given back by a worker
    (takes the place of that attempt's ``running``), and put back from the failure store: that takes the place of any
    earlier state and counts attempts anew, and so does a first attempt after it, which may be noted earlier. What is
    not ``accepted`` has started, at that moment at the latest.
    """
    accepted = change.state == "accepted"
    started_at = change.started_at
    return StatusRow(
        id=change.id,
        type=change.type,
        state=change.state,
        transport=change.transport,
        queue=change.queue,
        attempts=0 if accepted and change.again else change.attempt,
        at=change.at,
        put_back_at=change.at if change.again else 0.0,
        accepted_at=change.accepted_at,
        started_at=change.at if started_at is None and not accepted else started_at,
        finished_at=change.at if change.state in _ENDED else None,
        error_type=change.error_type,
        error_message=change.error_message,
        worker=worker if change.state == "running" else "",
    )


def join(old: StatusRow, new: StatusRow) -> StatusRow:
    """Join two rows of one command; ``UPSERT`` says the same in SQL.

    Rows come from several processes, in any order. The later attempt wins, of one attempt the later ``at``; it counts
    anew when it comes with a later putting back, and what is from before that changes nothing. But a first
    ``accepted`` never hides what a worker did: the intake's clock may be ahead, and its step is written by another
    process, at any time. Nor does what is under way hide that a command is done or has failed: its message was handed
    out once more, and the worker that has it may die after its ack and before it could say how it ended, too.
    """
    usual = old.state == "running" and new.state == "done" and old.attempts == new.attempts
    if usual and not new.put_back_at and new.at > old.put_back_at:
        return _handled(old, new)
    wins = _wins(old, new)
    again = wins and new.put_back_at > old.put_back_at
    error = new.error_type if wins else old.error_type
    message = new.error_message if wins else old.error_message
    if wins and new.error_type is None and new.state in {"running", "retrying"} and not again:
        error, message = old.error_type, old.error_message
    state = new if wins else old
    if again:
        attempts, started_at = new.attempts, new.started_at
    elif _from_before(old, new):
        attempts, started_at = old.attempts, old.started_at
    else:
        attempts, started_at = max(old.attempts, new.attempts), _first(old.started_at, new.started_at)
    return StatusRow(
        id=old.id,
        type=state.type,
        state=state.state,
        transport=state.transport or old.transport or new.transport,
        queue=state.queue or old.queue or new.queue,
        attempts=attempts,
        at=state.at,
        put_back_at=max(old.put_back_at, new.put_back_at),
        accepted_at=old.accepted_at or new.accepted_at,
        started_at=started_at,
        finished_at=state.finished_at,
        error_type=error,
        error_message=message,
        worker=state.worker,
    )


def _handled(old: StatusRow, new: StatusRow) -> StatusRow:
    """Join the two rows of nearly every message; the rule says the same, at more cost."""
    started_at = old.started_at
    if started_at is None or (new.started_at is not None and new.started_at < started_at):
        started_at = new.started_at
    return StatusRow(
        id=old.id,
        type=new.type,
        state="done",
        transport=new.transport or old.transport,
        queue=new.queue or old.queue,
        attempts=new.attempts,
        at=new.at,
        put_back_at=old.put_back_at,
        accepted_at=old.accepted_at or new.accepted_at,
        started_at=started_at,
        finished_at=new.finished_at,
        error_type=new.error_type,
        error_message=new.error_message,
        worker=new.worker,
    )


def _wins(old: StatusRow, new: StatusRow) -> bool:
    if new.state == "accepted":
        return new.at >= old.at and (new.put_back_at > 0 or (old.state == "running" and new.attempts > 0))
    if new.state in _UNDER_WAY and new.put_back_at <= old.put_back_at:
        if old.state in _ENDED:
            return False
        if old.state in _UNDER_WAY and old.attempts != new.attempts and new.at > old.put_back_at:
            return new.attempts > old.attempts
    if old.state in _UNDER_WAY and new.state in _ENDED and new.at > old.put_back_at:
        return new.state == "done" or new.attempts >= old.attempts or new.at >= old.at
    return new.at >= old.at or (old.state == "accepted" and new.at > old.put_back_at)


def _from_before(old: StatusRow, new: StatusRow) -> bool:
    """Whether ``new`` tells of the time before the command was put back."""
    return new.put_back_at < old.put_back_at and new.at <= old.put_back_at


def _first(one: float | None, other: float | None) -> float | None:
    if one is None or other is None:
        return other if one is None else one
    return min(one, other)


_OLD = "worker_statuses"
_WINS = f"""CASE WHEN excluded.state = 'accepted'
    THEN excluded.at >= {_OLD}.at AND (excluded.put_back_at > 0 OR ({_OLD}.state = 'running' AND excluded.attempts > 0))
    WHEN excluded.state IN {_UNDER_WAY} AND excluded.put_back_at <= {_OLD}.put_back_at
        AND {_OLD}.state IN {_ENDED}
    THEN FALSE
    WHEN excluded.state IN {_UNDER_WAY} AND excluded.put_back_at <= {_OLD}.put_back_at
        AND {_OLD}.state IN {_UNDER_WAY} AND {_OLD}.attempts <> excluded.attempts
        AND excluded.at > {_OLD}.put_back_at
    THEN excluded.attempts > {_OLD}.attempts
    WHEN {_OLD}.state IN {_UNDER_WAY} AND excluded.state IN {_ENDED} AND excluded.at > {_OLD}.put_back_at
    THEN excluded.state = 'done' OR excluded.attempts >= {_OLD}.attempts OR excluded.at >= {_OLD}.at
    ELSE excluded.at >= {_OLD}.at OR ({_OLD}.state = 'accepted' AND excluded.at > {_OLD}.put_back_at) END"""
_LATER = f"excluded.put_back_at > {_OLD}.put_back_at"
_AGAIN = f"({_WINS}) AND {_LATER}"
_FROM_BEFORE = f"(excluded.put_back_at < {_OLD}.put_back_at AND excluded.at <= {_OLD}.put_back_at)"
_KEEPS_ERROR = f"excluded.error_type IS NULL AND excluded.state IN ('running', 'retrying') AND NOT ({_AGAIN})"


def _upsert(wins: str, again: str, keeps_error: str) -> str:
    columns = ("application", *StatusRow.__struct_fields__)

    def later(name: str) -> str:
        return f"CASE WHEN {wins} THEN excluded.{name} ELSE {_OLD}.{name} END"

    def known(name: str) -> str:
        return f"coalesce(nullif({later(name)}, ''), nullif({_OLD}.{name}, ''), excluded.{name})"

    def error(name: str) -> str:
        return f"CASE WHEN ({wins}) AND NOT ({keeps_error}) THEN excluded.{name} ELSE {_OLD}.{name} END"

    changes = {
        "type": later("type"),
        "state": later("state"),
        "transport": known("transport"),
        "queue": known("queue"),
        "attempts": f"CASE WHEN ({again}) OR (excluded.attempts > {_OLD}.attempts AND NOT {_FROM_BEFORE}) "
        f"THEN excluded.attempts ELSE {_OLD}.attempts END",
        "at": later("at"),
        "put_back_at": f"CASE WHEN {_LATER} THEN excluded.put_back_at ELSE {_OLD}.put_back_at END",
        "accepted_at": f"coalesce({_OLD}.accepted_at, excluded.accepted_at)",
        "started_at": f"CASE WHEN ({again}) THEN excluded.started_at "
        f"WHEN excluded.started_at IS NULL OR {_FROM_BEFORE} THEN {_OLD}.started_at "
        f"WHEN {_OLD}.started_at IS NULL OR excluded.started_at < {_OLD}.started_at THEN excluded.started_at "
        f"ELSE {_OLD}.started_at END",
        "finished_at": later("finished_at"),
        "error_type": error("error_type"),
        "error_message": error("error_message"),
        "worker": later("worker"),
    }
    return (
        f"INSERT INTO {_OLD} ({', '.join(columns)}) VALUES ({', '.join(f':{name}' for name in columns)}) "
        f"ON CONFLICT (application, id) DO UPDATE SET {', '.join(f'{name} = {value}' for name, value in changes.items())}"
    )


UPSERT = Statement(_upsert(_WINS, _AGAIN, _KEEPS_ERROR))
"""Joins rows, as tuples after their application, with those in the table, as ``join`` does."""

ADD = Statement(
    f"INSERT INTO {_OLD} ({', '.join(('application', *StatusRow.__struct_fields__))}) "
    f"VALUES ({', '.join(f':{name}' for name in ('application', *StatusRow.__struct_fields__))}) ON CONFLICT DO NOTHING"
)
"""Adds the row of a command that is new."""

UPSERT_DONE = Statement(
    _upsert(
        f"(excluded.at >= {_OLD}.at OR ({_OLD}.state NOT IN {_ENDED} AND excluded.at > {_OLD}.put_back_at))",
        "FALSE",
        "FALSE",
    )
)
"""Joins the rows of which ``is_usual`` holds, nearly all of them. A database evaluates the rule anew for each column, and
this one is short."""


def is_usual(row: StatusRow) -> bool:
    """Whether a row says that its command is done, and was never put back: then ``UPSERT_DONE`` joins it."""
    return row.state == "done" and not row.put_back_at


def document(row: StatusRow) -> CommandStatus:
    """Show a row as the contract's document."""
    wrong = row.error_type is not None and row.state in {"retrying", "running", "failed"}
    return CommandStatus(
        id=row.id,
        type=row.type,
        status=row.state,
        transport=row.transport or None,
        queue=row.queue or None,
        attempts=row.attempts,
        accepted_at=row.accepted_at,
        started_at=_shown(row.started_at),
        finished_at=_shown(row.finished_at),
        error=ErrorDocument(str(row.error_type), row.error_message or "") if wrong else None,
    )


def _shown(seconds: float | None) -> str | None:
    return None if seconds is None else timestamp(seconds)
