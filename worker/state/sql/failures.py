"""Made from ``worker.state.statements.failures`` by ``python -m worker.state.statements``: change it there."""

from __future__ import annotations

from worker.state.statement import Sql, Statement

KNOWN = Statement(
    Sql('SELECT worker_failures.ticket, worker_failures.hidden_at FROM worker_failures WHERE worker_failures.id = ?', ('failure_id',)),
    Sql('SELECT worker_failures.ticket, worker_failures.hidden_at FROM worker_failures WHERE worker_failures.id = $1::VARCHAR FOR UPDATE', ('failure_id',)),
)

PUT = Statement(
    Sql('INSERT INTO worker_failures (id, type, transport, queue, failed_at, attempts, decoded, body, "key", priority, ticket, hidden_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET type = excluded.type, transport = excluded.transport, queue = excluded.queue, failed_at = excluded.failed_at, attempts = excluded.attempts, decoded = excluded.decoded, body = excluded.body, "key" = excluded."key", priority = excluded.priority, ticket = excluded.ticket, hidden_at = excluded.hidden_at', ('id', 'type', 'transport', 'queue', 'failed_at', 'attempts', 'decoded', 'body', 'key', 'priority', 'ticket', 'hidden_at')),
    Sql('INSERT INTO worker_failures (id, type, transport, queue, failed_at, attempts, decoded, body, key, priority, ticket, hidden_at) VALUES ($1::VARCHAR, $2::VARCHAR, $3::VARCHAR, $4::VARCHAR, $5::FLOAT, $6::INTEGER, $7::BOOLEAN, $8::BYTEA, $9::VARCHAR, $10::INTEGER, $11::VARCHAR, $12::FLOAT) ON CONFLICT (id) DO UPDATE SET type = excluded.type, transport = excluded.transport, queue = excluded.queue, failed_at = excluded.failed_at, attempts = excluded.attempts, decoded = excluded.decoded, body = excluded.body, key = excluded.key, priority = excluded.priority, ticket = excluded.ticket, hidden_at = excluded.hidden_at', ('id', 'type', 'transport', 'queue', 'failed_at', 'attempts', 'decoded', 'body', 'key', 'priority', 'ticket', 'hidden_at')),
)

COUNT = Statement(
    Sql('SELECT count(*) AS count_1 FROM worker_failures WHERE worker_failures.hidden_at IS NULL AND (? IS NULL OR worker_failures.type = ?) AND (? IS NULL OR worker_failures.transport = ?) AND (? IS NULL OR worker_failures.queue = ?) AND (? IS NULL OR worker_failures.failed_at >= ?) AND (? IS NULL OR worker_failures.failed_at < ?) AND (? IS NULL OR (EXISTS (SELECT * FROM worker_failure_groups WHERE worker_failure_groups.failure_id = worker_failures.id AND worker_failure_groups.error_type = ?))) AND (? IS NULL OR (EXISTS (SELECT * FROM worker_failure_groups WHERE worker_failure_groups.failure_id = worker_failures.id AND worker_failure_groups."group" = ?)))', ('type', 'type', 'transport', 'transport', 'queue', 'queue', 'since', 'since', 'until', 'until', 'error', 'error', 'group_key', 'group_key')),
    Sql('SELECT count(*) AS count_1 FROM worker_failures WHERE worker_failures.hidden_at IS NULL AND ($1::VARCHAR IS NULL OR worker_failures.type = $1::VARCHAR) AND ($2::VARCHAR IS NULL OR worker_failures.transport = $2::VARCHAR) AND ($3::VARCHAR IS NULL OR worker_failures.queue = $3::VARCHAR) AND ($4::FLOAT IS NULL OR worker_failures.failed_at >= $4::FLOAT) AND ($5::FLOAT IS NULL OR worker_failures.failed_at < $5::FLOAT) AND ($6::VARCHAR IS NULL OR (EXISTS (SELECT * FROM worker_failure_groups WHERE worker_failure_groups.failure_id = worker_failures.id AND worker_failure_groups.error_type = $6::VARCHAR))) AND ($7::VARCHAR IS NULL OR (EXISTS (SELECT * FROM worker_failure_groups WHERE worker_failure_groups.failure_id = worker_failures.id AND worker_failure_groups."group" = $7::VARCHAR)))', ('type', 'transport', 'queue', 'since', 'until', 'error', 'group_key')),
)

COUNT_OF = Statement(
    Sql('SELECT count(*) AS count_1 FROM worker_failures WHERE worker_failures.hidden_at IS NULL AND (? IS NULL OR worker_failures.type = ?) AND (? IS NULL OR worker_failures.transport = ?) AND (? IS NULL OR worker_failures.queue = ?) AND (? IS NULL OR worker_failures.failed_at >= ?) AND (? IS NULL OR worker_failures.failed_at < ?) AND (? IS NULL OR (EXISTS (SELECT * FROM worker_failure_groups WHERE worker_failure_groups.failure_id = worker_failures.id AND worker_failure_groups.error_type = ?))) AND (? IS NULL OR (EXISTS (SELECT * FROM worker_failure_groups WHERE worker_failure_groups.failure_id = worker_failures.id AND worker_failure_groups."group" = ?))) AND worker_failures.id IN (SELECT value FROM json_each(?))', ('type', 'type', 'transport', 'transport', 'queue', 'queue', 'since', 'since', 'until', 'until', 'error', 'error', 'group_key', 'group_key', 'ids')),
    Sql('SELECT count(*) AS count_1 FROM worker_failures WHERE worker_failures.hidden_at IS NULL AND ($1::VARCHAR IS NULL OR worker_failures.type = $1::VARCHAR) AND ($2::VARCHAR IS NULL OR worker_failures.transport = $2::VARCHAR) AND ($3::VARCHAR IS NULL OR worker_failures.queue = $3::VARCHAR) AND ($4::FLOAT IS NULL OR worker_failures.failed_at >= $4::FLOAT) AND ($5::FLOAT IS NULL OR worker_failures.failed_at < $5::FLOAT) AND ($6::VARCHAR IS NULL OR (EXISTS (SELECT * FROM worker_failure_groups WHERE worker_failure_groups.failure_id = worker_failures.id AND worker_failure_groups.error_type = $6::VARCHAR))) AND ($7::VARCHAR IS NULL OR (EXISTS (SELECT * FROM worker_failure_groups WHERE worker_failure_groups.failure_id = worker_failures.id AND worker_failure_groups."group" = $7::VARCHAR))) AND worker_failures.id = ANY ($8::VARCHAR[])', ('type', 'transport', 'queue', 'since', 'until', 'error', 'group_key', 'ids')),
)

IDS = Statement(
    Sql('SELECT worker_failures.id FROM worker_failures WHERE worker_failures.hidden_at IS NULL AND (? IS NULL OR worker_failures.type = ?) AND (? IS NULL OR worker_failures.transport = ?) AND (? IS NULL OR worker_failures.queue = ?) AND (? IS NULL OR worker_failures.failed_at >= ?) AND (? IS NULL OR worker_failures.failed_at < ?) AND (? IS NULL OR (EXISTS (SELECT * FROM worker_failure_groups WHERE worker_failure_groups.failure_id = worker_failures.id AND worker_failure_groups.error_type = ?))) AND (? IS NULL OR (EXISTS (SELECT * FROM worker_failure_groups WHERE worker_failure_groups.failure_id = worker_failures.id AND worker_failure_groups."group" = ?))) ORDER BY worker_failures.failed_at, worker_failures.id', ('type', 'type', 'transport', 'transport', 'queue', 'queue', 'since', 'since', 'until', 'until', 'error', 'error', 'group_key', 'group_key')),
    Sql('SELECT worker_failures.id FROM worker_failures WHERE worker_failures.hidden_at IS NULL AND ($1::VARCHAR IS NULL OR worker_failures.type = $1::VARCHAR) AND ($2::VARCHAR IS NULL OR worker_failures.transport = $2::VARCHAR) AND ($3::VARCHAR IS NULL OR worker_failures.queue = $3::VARCHAR) AND ($4::FLOAT IS NULL OR worker_failures.failed_at >= $4::FLOAT) AND ($5::FLOAT IS NULL OR worker_failures.failed_at < $5::FLOAT) AND ($6::VARCHAR IS NULL OR (EXISTS (SELECT * FROM worker_failure_groups WHERE worker_failure_groups.failure_id = worker_failures.id AND worker_failure_groups.error_type = $6::VARCHAR))) AND ($7::VARCHAR IS NULL OR (EXISTS (SELECT * FROM worker_failure_groups WHERE worker_failure_groups.failure_id = worker_failures.id AND worker_failure_groups."group" = $7::VARCHAR))) ORDER BY worker_failures.failed_at, worker_failures.id', ('type', 'transport', 'queue', 'since', 'until', 'error', 'group_key')),
)

IDS_OF = Statement(
    Sql('SELECT worker_failures.id FROM worker_failures WHERE worker_failures.hidden_at IS NULL AND (? IS NULL OR worker_failures.type = ?) AND (? IS NULL OR worker_failures.transport = ?) AND (? IS NULL OR worker_failures.queue = ?) AND (? IS NULL OR worker_failures.failed_at >= ?) AND (? IS NULL OR worker_failures.failed_at < ?) AND (? IS NULL OR (EXISTS (SELECT * FROM worker_failure_groups WHERE worker_failure_groups.failure_id = worker_failures.id AND worker_failure_groups.error_type = ?))) AND (? IS NULL OR (EXISTS (SELECT * FROM worker_failure_groups WHERE worker_failure_groups.failure_id = worker_failures.id AND worker_failure_groups."group" = ?))) AND worker_failures.id IN (SELECT value FROM json_each(?)) ORDER BY worker_failures.failed_at, worker_failures.id', ('type', 'type', 'transport', 'transport', 'queue', 'queue', 'since', 'since', 'until', 'until', 'error', 'error', 'group_key', 'group_key', 'ids')),
    Sql('SELECT worker_failures.id FROM worker_failures WHERE worker_failures.hidden_at IS NULL AND ($1::VARCHAR IS NULL OR worker_failures.type = $1::VARCHAR) AND ($2::VARCHAR IS NULL OR worker_failures.transport = $2::VARCHAR) AND ($3::VARCHAR IS NULL OR worker_failures.queue = $3::VARCHAR) AND ($4::FLOAT IS NULL OR worker_failures.failed_at >= $4::FLOAT) AND ($5::FLOAT IS NULL OR worker_failures.failed_at < $5::FLOAT) AND ($6::VARCHAR IS NULL OR (EXISTS (SELECT * FROM worker_failure_groups WHERE worker_failure_groups.failure_id = worker_failures.id AND worker_failure_groups.error_type = $6::VARCHAR))) AND ($7::VARCHAR IS NULL OR (EXISTS (SELECT * FROM worker_failure_groups WHERE worker_failure_groups.failure_id = worker_failures.id AND worker_failure_groups."group" = $7::VARCHAR))) AND worker_failures.id = ANY ($8::VARCHAR[]) ORDER BY worker_failures.failed_at, worker_failures.id', ('type', 'transport', 'queue', 'since', 'until', 'error', 'group_key', 'ids')),
)

PAGE = Statement(
    Sql('SELECT worker_failures.id, worker_failures.type, worker_failures.transport, worker_failures.queue, worker_failures.failed_at, worker_failures.attempts, worker_failures.decoded, worker_failures.body, worker_failures."key", worker_failures.priority, worker_failures.ticket, worker_failures.hidden_at FROM worker_failures WHERE worker_failures.hidden_at IS NULL AND (? IS NULL OR worker_failures.type = ?) AND (? IS NULL OR worker_failures.transport = ?) AND (? IS NULL OR worker_failures.queue = ?) AND (? IS NULL OR worker_failures.failed_at >= ?) AND (? IS NULL OR worker_failures.failed_at < ?) AND (? IS NULL OR (EXISTS (SELECT * FROM worker_failure_groups WHERE worker_failure_groups.failure_id = worker_failures.id AND worker_failure_groups.error_type = ?))) AND (? IS NULL OR (EXISTS (SELECT * FROM worker_failure_groups WHERE worker_failure_groups.failure_id = worker_failures.id AND worker_failure_groups."group" = ?))) AND (? IS NULL OR worker_failures.failed_at < ? OR worker_failures.failed_at = ? AND worker_failures.id < ?) ORDER BY worker_failures.failed_at DESC, worker_failures.id DESC LIMIT ? OFFSET 0', ('type', 'type', 'transport', 'transport', 'queue', 'queue', 'since', 'since', 'until', 'until', 'error', 'error', 'group_key', 'group_key', 'after_at', 'after_at', 'after_at', 'after_id', 'limit')),
    Sql('SELECT worker_failures.id, worker_failures.type, worker_failures.transport, worker_failures.queue, worker_failures.failed_at, worker_failures.attempts, worker_failures.decoded, worker_failures.body, worker_failures.key, worker_failures.priority, worker_failures.ticket, worker_failures.hidden_at FROM worker_failures WHERE worker_failures.hidden_at IS NULL AND ($1::VARCHAR IS NULL OR worker_failures.type = $1::VARCHAR) AND ($2::VARCHAR IS NULL OR worker_failures.transport = $2::VARCHAR) AND ($3::VARCHAR IS NULL OR worker_failures.queue = $3::VARCHAR) AND ($4::FLOAT IS NULL OR worker_failures.failed_at >= $4::FLOAT) AND ($5::FLOAT IS NULL OR worker_failures.failed_at < $5::FLOAT) AND ($6::VARCHAR IS NULL OR (EXISTS (SELECT * FROM worker_failure_groups WHERE worker_failure_groups.failure_id = worker_failures.id AND worker_failure_groups.error_type = $6::VARCHAR))) AND ($7::VARCHAR IS NULL OR (EXISTS (SELECT * FROM worker_failure_groups WHERE worker_failure_groups.failure_id = worker_failures.id AND worker_failure_groups."group" = $7::VARCHAR))) AND ($8::FLOAT IS NULL OR worker_failures.failed_at < $8::FLOAT OR worker_failures.failed_at = $8::FLOAT AND worker_failures.id < $9::VARCHAR) ORDER BY worker_failures.failed_at DESC, worker_failures.id DESC LIMIT $10 OFFSET 0', ('type', 'transport', 'queue', 'since', 'until', 'error', 'group_key', 'after_at', 'after_id', 'limit')),
)

PAGE_OF = Statement(
    Sql('SELECT worker_failures.id, worker_failures.type, worker_failures.transport, worker_failures.queue, worker_failures.failed_at, worker_failures.attempts, worker_failures.decoded, worker_failures.body, worker_failures."key", worker_failures.priority, worker_failures.ticket, worker_failures.hidden_at FROM worker_failures WHERE worker_failures.hidden_at IS NULL AND (? IS NULL OR worker_failures.type = ?) AND (? IS NULL OR worker_failures.transport = ?) AND (? IS NULL OR worker_failures.queue = ?) AND (? IS NULL OR worker_failures.failed_at >= ?) AND (? IS NULL OR worker_failures.failed_at < ?) AND (? IS NULL OR (EXISTS (SELECT * FROM worker_failure_groups WHERE worker_failure_groups.failure_id = worker_failures.id AND worker_failure_groups.error_type = ?))) AND (? IS NULL OR (EXISTS (SELECT * FROM worker_failure_groups WHERE worker_failure_groups.failure_id = worker_failures.id AND worker_failure_groups."group" = ?))) AND (? IS NULL OR worker_failures.failed_at < ? OR worker_failures.failed_at = ? AND worker_failures.id < ?) AND worker_failures.id IN (SELECT value FROM json_each(?)) ORDER BY worker_failures.failed_at DESC, worker_failures.id DESC LIMIT ? OFFSET 0', ('type', 'type', 'transport', 'transport', 'queue', 'queue', 'since', 'since', 'until', 'until', 'error', 'error', 'group_key', 'group_key', 'after_at', 'after_at', 'after_at', 'after_id', 'ids', 'limit')),
    Sql('SELECT worker_failures.id, worker_failures.type, worker_failures.transport, worker_failures.queue, worker_failures.failed_at, worker_failures.attempts, worker_failures.decoded, worker_failures.body, worker_failures.key, worker_failures.priority, worker_failures.ticket, worker_failures.hidden_at FROM worker_failures WHERE worker_failures.hidden_at IS NULL AND ($1::VARCHAR IS NULL OR worker_failures.type = $1::VARCHAR) AND ($2::VARCHAR IS NULL OR worker_failures.transport = $2::VARCHAR) AND ($3::VARCHAR IS NULL OR worker_failures.queue = $3::VARCHAR) AND ($4::FLOAT IS NULL OR worker_failures.failed_at >= $4::FLOAT) AND ($5::FLOAT IS NULL OR worker_failures.failed_at < $5::FLOAT) AND ($6::VARCHAR IS NULL OR (EXISTS (SELECT * FROM worker_failure_groups WHERE worker_failure_groups.failure_id = worker_failures.id AND worker_failure_groups.error_type = $6::VARCHAR))) AND ($7::VARCHAR IS NULL OR (EXISTS (SELECT * FROM worker_failure_groups WHERE worker_failure_groups.failure_id = worker_failures.id AND worker_failure_groups."group" = $7::VARCHAR))) AND ($8::FLOAT IS NULL OR worker_failures.failed_at < $8::FLOAT OR worker_failures.failed_at = $8::FLOAT AND worker_failures.id < $9::VARCHAR) AND worker_failures.id = ANY ($10::VARCHAR[]) ORDER BY worker_failures.failed_at DESC, worker_failures.id DESC LIMIT $11 OFFSET 0', ('type', 'transport', 'queue', 'since', 'until', 'error', 'group_key', 'after_at', 'after_id', 'ids', 'limit')),
)

GET = Statement(
    Sql('SELECT worker_failures.id, worker_failures.type, worker_failures.transport, worker_failures.queue, worker_failures.failed_at, worker_failures.attempts, worker_failures.decoded, worker_failures.body, worker_failures."key", worker_failures.priority, worker_failures.ticket, worker_failures.hidden_at FROM worker_failures WHERE worker_failures.id = ? AND worker_failures.hidden_at IS NULL', ('failure_id',)),
    Sql('SELECT worker_failures.id, worker_failures.type, worker_failures.transport, worker_failures.queue, worker_failures.failed_at, worker_failures.attempts, worker_failures.decoded, worker_failures.body, worker_failures.key, worker_failures.priority, worker_failures.ticket, worker_failures.hidden_at FROM worker_failures WHERE worker_failures.id = $1::VARCHAR AND worker_failures.hidden_at IS NULL', ('failure_id',)),
)

WITHOUT_TICKET = Statement(
    Sql('SELECT worker_failures.id FROM worker_failures WHERE worker_failures.id IN (SELECT value FROM json_each(?)) AND worker_failures.hidden_at IS NULL AND worker_failures.ticket IS NULL', ('ids',)),
    Sql('SELECT worker_failures.id FROM worker_failures WHERE worker_failures.id = ANY ($1::VARCHAR[]) AND worker_failures.hidden_at IS NULL AND worker_failures.ticket IS NULL FOR UPDATE', ('ids',)),
)

GIVE_TICKET = Statement(
    Sql('UPDATE worker_failures SET ticket=? WHERE worker_failures.id = ?', ('ticket', 'failure_id')),
    Sql('UPDATE worker_failures SET ticket=$1::VARCHAR WHERE worker_failures.id = $2::VARCHAR', ('ticket', 'failure_id')),
)

TICKETS = Statement(
    Sql('SELECT worker_failures.id, worker_failures.ticket FROM worker_failures WHERE worker_failures.id IN (SELECT value FROM json_each(?)) AND worker_failures.hidden_at IS NULL', ('ids',)),
    Sql('SELECT worker_failures.id, worker_failures.ticket FROM worker_failures WHERE worker_failures.id = ANY ($1::VARCHAR[]) AND worker_failures.hidden_at IS NULL', ('ids',)),
)

HIDE = Statement(
    Sql('UPDATE worker_failures SET hidden_at=? WHERE worker_failures.id = ? AND worker_failures.ticket = ?', ('hidden_at', 'failure_id', 'its_ticket')),
    Sql('UPDATE worker_failures SET hidden_at=$1::FLOAT WHERE worker_failures.id = $2::VARCHAR AND worker_failures.ticket = $3::VARCHAR', ('hidden_at', 'failure_id', 'its_ticket')),
)

WITH_TICKET = Statement(
    Sql('SELECT worker_failures.id FROM worker_failures WHERE worker_failures.id = ? AND worker_failures.ticket = ?', ('failure_id', 'its_ticket')),
    Sql('SELECT worker_failures.id FROM worker_failures WHERE worker_failures.id = $1::VARCHAR AND worker_failures.ticket = $2::VARCHAR', ('failure_id', 'its_ticket')),
)

RESOLVE = Statement(
    Sql('DELETE FROM worker_failures WHERE worker_failures.id = ? AND worker_failures.ticket = ?', ('failure_id', 'its_ticket')),
    Sql('DELETE FROM worker_failures WHERE worker_failures.id = $1::VARCHAR AND worker_failures.ticket = $2::VARCHAR', ('failure_id', 'its_ticket')),
)

REPLACE_BODY = Statement(
    Sql('UPDATE worker_failures SET decoded=1, body=?, ticket=NULL WHERE worker_failures.id = ? AND worker_failures.hidden_at IS NULL', ('body', 'failure_id')),
    Sql('UPDATE worker_failures SET decoded=true, body=$1::BYTEA, ticket=NULL WHERE worker_failures.id = $2::VARCHAR AND worker_failures.hidden_at IS NULL', ('body', 'failure_id')),
)

VISIBLE = Statement(
    Sql('SELECT worker_failures.id FROM worker_failures WHERE worker_failures.id IN (SELECT value FROM json_each(?)) AND worker_failures.hidden_at IS NULL', ('ids',)),
    Sql('SELECT worker_failures.id FROM worker_failures WHERE worker_failures.id = ANY ($1::VARCHAR[]) AND worker_failures.hidden_at IS NULL FOR UPDATE', ('ids',)),
)

REMOVE = Statement(
    Sql('DELETE FROM worker_failures WHERE worker_failures.id IN (SELECT value FROM json_each(?))', ('ids',)),
    Sql('DELETE FROM worker_failures WHERE worker_failures.id = ANY ($1::VARCHAR[])', ('ids',)),
)

RESURFACE = Statement(
    Sql('UPDATE worker_failures SET hidden_at=NULL WHERE worker_failures.hidden_at < ?', ('before',)),
    Sql('UPDATE worker_failures SET hidden_at=NULL WHERE worker_failures.hidden_at < $1::FLOAT', ('before',)),
)

GROUPS = Statement(
    Sql('SELECT worker_failure_groups."group", worker_failures.type, worker_failure_groups.handler, worker_failure_groups.error_type, count(*) AS count, min(worker_failures.failed_at) AS first_at, max(worker_failures.failed_at) AS last_at FROM worker_failure_groups JOIN worker_failures ON worker_failures.id = worker_failure_groups.failure_id WHERE worker_failures.hidden_at IS NULL GROUP BY worker_failure_groups."group", worker_failures.type, worker_failure_groups.handler, worker_failure_groups.error_type ORDER BY count DESC, worker_failure_groups."group"', ()),
    Sql('SELECT worker_failure_groups."group", worker_failures.type, worker_failure_groups.handler, worker_failure_groups.error_type, count(*) AS count, min(worker_failures.failed_at) AS first_at, max(worker_failures.failed_at) AS last_at FROM worker_failure_groups JOIN worker_failures ON worker_failures.id = worker_failure_groups.failure_id WHERE worker_failures.hidden_at IS NULL GROUP BY worker_failure_groups."group", worker_failures.type, worker_failure_groups.handler, worker_failure_groups.error_type ORDER BY count DESC, worker_failure_groups."group"', ()),
)

GROUPS_OF = Statement(
    Sql('SELECT worker_failure_groups.failure_id, worker_failure_groups."group" FROM worker_failure_groups WHERE worker_failure_groups.failure_id IN (SELECT value FROM json_each(?)) ORDER BY worker_failure_groups."group"', ('ids',)),
    Sql('SELECT worker_failure_groups.failure_id, worker_failure_groups."group" FROM worker_failure_groups WHERE worker_failure_groups.failure_id = ANY ($1::VARCHAR[]) ORDER BY worker_failure_groups."group"', ('ids',)),
)

ADD_GROUP = Statement(
    Sql('INSERT INTO worker_failure_groups (failure_id, "group", handler, error_type) VALUES (?, ?, ?, ?)', ('failure_id', 'group', 'handler', 'error_type')),
    Sql('INSERT INTO worker_failure_groups (failure_id, "group", handler, error_type) VALUES ($1::VARCHAR, $2::VARCHAR, $3::VARCHAR, $4::VARCHAR)', ('failure_id', 'group', 'handler', 'error_type')),
)

FORGET_GROUPS = Statement(
    Sql('DELETE FROM worker_failure_groups WHERE worker_failure_groups.failure_id IN (SELECT value FROM json_each(?))', ('ids',)),
    Sql('DELETE FROM worker_failure_groups WHERE worker_failure_groups.failure_id = ANY ($1::VARCHAR[])', ('ids',)),
)
