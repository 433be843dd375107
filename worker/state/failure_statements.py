"""Statements of the failure store. A row whose replay is confirmed is hidden until that has ended."""

from __future__ import annotations

from worker.state.statement import Statement

_ROW = """
    id, type, transport, queue, failed_at, attempts, decoded, body, key, priority, ticket
"""
"""What is shown of a failure."""

_ONE = "application = :application AND id = :failure_id"
_LISTED = "application = :application AND id = ANY (:ids)"
_TICKETED = f"{_ONE} AND ticket = :its_ticket"
_VISIBLE = "hidden_at IS NULL"

_GROUPED = """
    SELECT * FROM worker_failure_groups WHERE worker_failure_groups.application = :application
    AND worker_failure_groups.failure_id = worker_failures.id
"""
_CHOSEN = f"""
    application = :application AND {_VISIBLE}
    AND (:type::text IS NULL OR type = ANY (:types))
    AND (:transport::text IS NULL OR transport = :transport)
    AND (:queue::text IS NULL OR queue = :queue)
    AND (:since::float8 IS NULL OR failed_at >= :since)
    AND (:until::float8 IS NULL OR failed_at < :until)
    AND (:error::text IS NULL OR EXISTS ({_GROUPED} AND worker_failure_groups.error_type = :error))
    AND (:group_key::text IS NULL OR EXISTS ({_GROUPED} AND worker_failure_groups."group" = :group_key))
"""
"""What a filter may ask for; what it leaves open is NULL. With ``_AMONG``, of given ids only."""

_AMONG = "AND id = ANY (:ids)"

_COUNT = f"SELECT count(*) FROM worker_failures WHERE {_CHOSEN}"
_IDS = f"SELECT id FROM worker_failures WHERE {_CHOSEN}"
_PAGE = f"""
    SELECT {_ROW} FROM worker_failures WHERE {_CHOSEN}
    AND (:after_at::float8 IS NULL OR failed_at < :after_at OR (failed_at = :after_at AND id < :after_id))
"""
_FIRST_FAILED = "ORDER BY failed_at, id"
_LAST_FAILED = "ORDER BY failed_at DESC, id DESC LIMIT :limit"

COUNT = Statement(_COUNT)
COUNT_OF = Statement(f"{_COUNT} {_AMONG}")
IDS = Statement(f"{_IDS} {_FIRST_FAILED}")
IDS_OF = Statement(f"{_IDS} {_AMONG} {_FIRST_FAILED}")
PAGE = Statement(f"{_PAGE} {_LAST_FAILED}")
PAGE_OF = Statement(f"{_PAGE} {_AMONG} {_LAST_FAILED}")
GET = Statement(f"SELECT {_ROW} FROM worker_failures WHERE {_ONE} AND {_VISIBLE}")

KNOWN = Statement(f"SELECT ticket, hidden_at FROM worker_failures WHERE {_ONE} FOR UPDATE")
PUT = Statement("""
    INSERT INTO worker_failures (application, id, type, transport, queue, failed_at, attempts, decoded, body, key,
        priority, ticket, hidden_at)
    VALUES (:application, :id, :type, :transport, :queue, :failed_at, :attempts, :decoded, :body, :key,
        :priority, :ticket, :hidden_at)
    ON CONFLICT (application, id) DO UPDATE SET type = excluded.type, transport = excluded.transport,
        queue = excluded.queue, failed_at = excluded.failed_at, attempts = excluded.attempts,
        decoded = excluded.decoded, body = excluded.body, key = excluded.key, priority = excluded.priority,
        ticket = excluded.ticket, hidden_at = excluded.hidden_at
""")
WITHOUT_TICKET = Statement(
    f"SELECT id FROM worker_failures WHERE {_LISTED} AND {_VISIBLE} AND ticket IS NULL FOR UPDATE"
)
GIVE_TICKET = Statement(f"UPDATE worker_failures SET ticket = :ticket WHERE {_ONE}")
TICKETS = Statement(f"SELECT id, ticket FROM worker_failures WHERE {_LISTED} AND {_VISIBLE}")
HIDE = Statement(f"UPDATE worker_failures SET hidden_at = :hidden_at WHERE {_TICKETED}")
WITH_TICKET = Statement(f"SELECT id FROM worker_failures WHERE {_TICKETED}")
RESOLVE = Statement(f"DELETE FROM worker_failures WHERE {_TICKETED}")
REPLACE_BODY = Statement(f"""
    UPDATE worker_failures SET body = :body, decoded = true, ticket = NULL WHERE {_ONE} AND {_VISIBLE}
""")
VISIBLE = Statement(f"SELECT id FROM worker_failures WHERE {_LISTED} AND {_VISIBLE} FOR UPDATE")
REMOVE = Statement(f"DELETE FROM worker_failures WHERE {_LISTED}")
RESURFACE = Statement("""
    UPDATE worker_failures SET hidden_at = NULL WHERE application = :application AND hidden_at < :before
""")

GROUPS = Statement(f"""
    SELECT "group", type, handler, error_type,
        count(*) AS count, min(failed_at) AS first_at, max(failed_at) AS last_at
    FROM worker_failure_groups JOIN worker_failures ON id = failure_id
    WHERE worker_failure_groups.application = :application
    AND worker_failures.application = :application AND {_VISIBLE}
    GROUP BY "group", type, handler, error_type ORDER BY count DESC, "group"
""")
GROUPS_OF = Statement("""
    SELECT failure_id, "group" FROM worker_failure_groups
    WHERE application = :application AND failure_id = ANY (:ids) ORDER BY "group"
""")
ADD_GROUP = Statement("""
    INSERT INTO worker_failure_groups (application, failure_id, "group", handler, error_type)
    VALUES (:application, :failure_id, :group, :handler, :error_type)
""")
FORGET_GROUPS = Statement("""
    DELETE FROM worker_failure_groups WHERE application = :application AND failure_id = ANY (:ids)
""")
