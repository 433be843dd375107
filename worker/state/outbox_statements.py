"""Statements of the outbox. Rows whose claimant is ``:parked`` wait for their time, and hold up no others."""

from __future__ import annotations

from worker.state.statement import Statement

_ROW = "seq, message_id, transport, queue, type, body, key, delay, priority, content_type, created_at"
"""What a relay needs of a row."""

_FREE = "(claimed_until <= :now OR claimed_by = :worker)"
_WAITS = "(claimed_by = :parked AND claimed_until > :now)"

_CLAIMABLE = f"""
    SELECT {_ROW} FROM worker_outbox WHERE application = :application AND {_FREE}
    AND NOT EXISTS (
        SELECT 1 FROM worker_outbox AS earlier
        WHERE earlier.application = :application AND earlier.origin = worker_outbox.origin
        AND earlier.seq < worker_outbox.seq AND earlier.claimed_until > :now
        AND earlier.claimed_by <> :worker AND earlier.claimed_by <> :parked
    )
    AND NOT EXISTS (
        SELECT 1 FROM worker_outbox AS earlier
        WHERE earlier.application = :application AND earlier.key = worker_outbox.key
        AND earlier.queue = worker_outbox.queue AND earlier.transport = worker_outbox.transport
        AND earlier.seq < worker_outbox.seq AND earlier.claimed_until > :now
        AND earlier.claimed_by <> :worker AND earlier.claimed_by <> :parked
    )
"""
"""Rows before which no other worker holds one of the same handler's message or of the same ordering key; a row without a
key equals none, as NULL = NULL is not true in SQL."""

_OLDEST = "ORDER BY seq LIMIT :limit"

ANY = Statement(f"SELECT seq FROM worker_outbox WHERE application = :application AND {_FREE} LIMIT 1")
CLAIMABLE = Statement(f"{_CLAIMABLE} {_OLDEST}")
CLAIMABLE_BY = Statement(f"{_CLAIMABLE} AND transport = ANY (:transports) {_OLDEST}")
CLAIM = Statement(
    "UPDATE worker_outbox SET claimed_by = :worker, claimed_until = :until WHERE seq = ANY (:seqs)"
)

_ADD = """
    INSERT INTO worker_outbox (application, message_id, origin, transport, queue, type, body, key, delay, priority,
        content_type, created_at, claimed_by, claimed_until)
    VALUES (:application, :message_id, :origin, :transport, :queue, :type, :body, :key, :delay, :priority,
        :content_type, :created_at, :claimed_by, :claimed_until)
"""
ADD = Statement(_ADD)
ADD_ONCE = Statement(f"{_ADD} ON CONFLICT DO NOTHING")
REPLACE = Statement("DELETE FROM worker_outbox WHERE application = :application AND message_id = ANY (:ids)")
POSTPONE = Statement("""
    UPDATE worker_outbox
    SET claimed_by = :parked, claimed_until = created_at + delay - :longest, origin = message_id
    WHERE seq = ANY (:seqs)
""")
PARKED = Statement(f"""
    SELECT transport, queue, count(*) AS count FROM worker_outbox
    WHERE application = :application AND {_WAITS} GROUP BY transport, queue
""")
PENDING = Statement(f"""
    SELECT {_ROW} FROM worker_outbox WHERE application = :application AND created_at <= :before {_OLDEST}
""")
REMOVE = Statement("DELETE FROM worker_outbox WHERE seq = ANY (:seqs)")
RELEASE = Statement("""
    UPDATE worker_outbox SET claimed_until = 0.0 WHERE application = :application AND claimed_by = :worker
""")
HELD = Statement("""
    SELECT seq FROM worker_outbox WHERE application = :application AND message_id = :message_id LIMIT 1
""")
_COUNT = f"SELECT count(*) FROM worker_outbox WHERE application = :application AND NOT {_WAITS}"
COUNT = Statement(_COUNT)
COUNT_BY = Statement(f"{_COUNT} AND transport = ANY (:transports)")
STRANDED = Statement("""
    SELECT transport, count(*) AS count FROM worker_outbox
    WHERE application = :application AND NOT transport = ANY (:transports) GROUP BY transport ORDER BY transport
""")

TELL = Statement(
    "SELECT pg_notify(:channel, :application)",
    sqlite="SELECT :channel, :application",  # it tells no process: relays look now and then
)
"""Say that an application's rows were left."""
