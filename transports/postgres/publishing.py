"""Brings messages in: publishes of one turn are one statement."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from transports.postgres import lanes
from transports.postgres.connection import Connection
from transports.postgres.numbers import Numbers
from transports.postgres.schema import NOW
from worker.messaging.keys import carried
from worker.messaging.refusal import refusal
from worker.messaging.transport import ACCEPTED, Outcome, OutcomeKind, Outgoing

DEFAULT_CONTENT_TYPE = Outgoing.__struct_defaults__[-1]

# A message that waits under this id is the same message: it stays as it is. One that a consumer holds is superseded:
# it waits again with what was published last, and that consumer's settlement finds its lease gone.
_ON_CONFLICT = """ON CONFLICT (queue, message_id) DO UPDATE SET body = excluded.body,
    content_type = excluded.content_type, visible_at = coalesce(excluded.due, excluded.visible_at),
    lease = NULL, deaths = 0
    WHERE transport_messages.lease IS NOT NULL"""
_INSERT = f"""INSERT INTO transport_messages (queue, message_id, visible_at, content_type, body)
    SELECT m.queue, m.message_id, {NOW.format("$6")} + m.delay, m.content_type, m.body
    FROM unnest($1::int[], $2::text[], $3::float8[], $4::text[], $5::bytea[])
        AS m (queue, message_id, delay, content_type, body)
    {_ON_CONFLICT}"""
_INSERT_KEYED = f"""INSERT INTO transport_messages (queue, message_id, visible_at, due, content_type, body, key)
    SELECT m.queue, m.message_id,
        CASE WHEN m.first AND NOT EXISTS
            (SELECT 1 FROM transport_messages AS earlier WHERE earlier.queue = m.queue AND earlier.key = m.key)
            THEN m.due END,
        m.due, m.content_type, m.body, m.key
    FROM (SELECT t.*, {NOW.format("$6")} + t.delay AS due
        FROM unnest($1::int[], $2::text[], $3::float8[], $4::text[], $5::bytea[], $7::text[], $8::bool[])
            AS t (queue, message_id, delay, content_type, body, key, first)) AS m
    {_ON_CONFLICT}"""


class Due(NamedTuple):
    """A message, and in how many seconds it may be claimed: its delay began when it was asked for."""

    message: Outgoing
    seconds: float


class Judged(msgspec.Struct):
    """A batch that was looked through: outcomes of those that cannot be taken, and the others."""

    outcomes: list[Outcome | None]
    plain: dict[tuple[int, str], Due]
    keyed: dict[tuple[int, str], Due]

    @property
    def lanes(self) -> list[lanes.Lane]:
        """The lanes that messages are added to."""
        return [(queue, carried(due.message.key) or "") for (queue, _), due in self.keyed.items()]


def judge(batch: Sequence[Due], numbers: Mapping[str, int], max_bytes: int) -> Judged:
    """Tell what can be taken. Of messages with one id and queue the first one counts."""
    judged = Judged([], {}, {})
    for due in batch:
        message = due.message
        number = numbers.get(message.queue)
        reason = _refusal(message, max_bytes)
        if number is None:
            text = f"queue {message.queue!r} was never set up"
            judged.outcomes.append(Outcome(OutcomeKind.UNROUTABLE, text))
        elif reason is not None:
            judged.outcomes.append(Outcome(OutcomeKind.REFUSED, reason))
        else:
            identity = (number, message.id)
            if identity not in judged.plain and identity not in judged.keyed:
                (judged.plain if message.key is None else judged.keyed)[identity] = due
            judged.outcomes.append(None)
    return judged


class Publishing:
    """Inserts messages.

    Args:
        numbers: of queues.
        max_bytes: largest body.
        clock: in place of the server's; None for that.
    """

    def __init__(self, numbers: Numbers, max_bytes: int, clock: Callable[[], float] | None) -> None:
        self._numbers = numbers
        self._max_bytes = max_bytes
        self._clock = clock

    async def publish(self, connection: Connection, batch: Sequence[Due]) -> list[Outcome]:
        """Add messages and commit; one outcome each."""
        numbers = await self._numbers.of(connection, {due.message.queue for due in batch})
        judged = judge(batch, numbers, self._max_bytes)
        if judged.keyed:
            await lanes.begin(connection, judged.lanes)
            await self.insert(connection, judged)
            await connection.execute("COMMIT")
        elif judged.plain:
            await self.insert(connection, judged)
        return [outcome or ACCEPTED for outcome in judged.outcomes]

    async def insert(self, connection: Connection, judged: Judged) -> None:
        """Add what was judged fit, in the transaction that has its lanes."""
        now = self._clock() if self._clock is not None else None
        if judged.plain:
            await connection.execute(_INSERT, *_columns(judged.plain), now)
        if judged.keyed:
            known: set[lanes.Lane] = set()
            first = [lane not in known and not known.add(lane) for lane in judged.lanes]  # type: ignore[func-returns-value]
            keys = [key for _, key in judged.lanes]
            done = await connection.execute(_INSERT_KEYED, *_columns(judged.keyed), now, keys, first)
            if int(done.rpartition(" ")[2]) < len(first):
                # some were there already, perhaps the first of its lane here, under another key
                await lanes.advance(connection, known)


def _columns(batch: Mapping[tuple[int, str], Due]) -> tuple[list[Any], ...]:
    messages = [due.message for due in batch.values()]
    return (
        [queue for queue, _ in batch],
        [message.id for message in messages],
        [due.seconds for due in batch.values()],
        [None if m.content_type == DEFAULT_CONTENT_TYPE else m.content_type for m in messages],
        [message.body for message in messages],
    )


def _refusal(message: Outgoing, max_bytes: int) -> str | None:
    for text in (message.id, message.key, message.content_type):
        if text is not None and "\0" in text:
            return "its id, key or content type holds a NUL character, which PostgreSQL cannot store"
    return refusal(message, max_bytes)
