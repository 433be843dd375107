"""Made from ``worker.state.statements.outbox`` by ``python -m worker.state.statements``: change it there."""

from __future__ import annotations

from worker.state.statement import Sql, Statement

ANY = Statement(
    Sql('SELECT worker_outbox.seq FROM worker_outbox WHERE worker_outbox.application = ? AND (worker_outbox.claimed_until <= ? OR worker_outbox.claimed_by = ?) LIMIT 1 OFFSET 0', ('application', 'now', 'worker')),
    Sql('SELECT worker_outbox.seq FROM worker_outbox WHERE worker_outbox.application = $1::VARCHAR AND (worker_outbox.claimed_until <= $2::FLOAT OR worker_outbox.claimed_by = $3::VARCHAR) LIMIT 1 OFFSET 0', ('application', 'now', 'worker')),
)

CLAIMABLE = Statement(
    Sql('SELECT worker_outbox.seq, worker_outbox.application, worker_outbox.message_id, worker_outbox.origin, worker_outbox.transport, worker_outbox.queue, worker_outbox.type, worker_outbox.body, worker_outbox."key", worker_outbox.delay, worker_outbox.priority, worker_outbox.content_type, worker_outbox.created_at, worker_outbox.claimed_by, worker_outbox.claimed_until FROM worker_outbox WHERE worker_outbox.application = ? AND (worker_outbox.claimed_until <= ? OR worker_outbox.claimed_by = ?) AND NOT (EXISTS (SELECT earlier.seq FROM worker_outbox AS earlier WHERE earlier.origin = worker_outbox.origin AND earlier.application = ? AND earlier.seq < worker_outbox.seq AND earlier.claimed_until > ? AND earlier.claimed_by != ? AND earlier.claimed_by != ?)) AND NOT (EXISTS (SELECT earlier.seq FROM worker_outbox AS earlier WHERE earlier."key" = worker_outbox."key" AND earlier.queue = worker_outbox.queue AND earlier.transport = worker_outbox.transport AND earlier.application = ? AND earlier.seq < worker_outbox.seq AND earlier.claimed_until > ? AND earlier.claimed_by != ? AND earlier.claimed_by != ?)) ORDER BY worker_outbox.seq LIMIT ? OFFSET 0', ('application', 'now', 'worker', 'application', 'now', 'worker', 'schedule', 'application', 'now', 'worker', 'schedule', 'limit')),
    Sql('SELECT worker_outbox.seq, worker_outbox.application, worker_outbox.message_id, worker_outbox.origin, worker_outbox.transport, worker_outbox.queue, worker_outbox.type, worker_outbox.body, worker_outbox.key, worker_outbox.delay, worker_outbox.priority, worker_outbox.content_type, worker_outbox.created_at, worker_outbox.claimed_by, worker_outbox.claimed_until FROM worker_outbox WHERE worker_outbox.application = $1::VARCHAR AND (worker_outbox.claimed_until <= $2::FLOAT OR worker_outbox.claimed_by = $3::VARCHAR) AND NOT (EXISTS (SELECT earlier.seq FROM worker_outbox AS earlier WHERE earlier.origin = worker_outbox.origin AND earlier.application = $1::VARCHAR AND earlier.seq < worker_outbox.seq AND earlier.claimed_until > $2::FLOAT AND earlier.claimed_by != $3::VARCHAR AND earlier.claimed_by != $4::VARCHAR)) AND NOT (EXISTS (SELECT earlier.seq FROM worker_outbox AS earlier WHERE earlier.key = worker_outbox.key AND earlier.queue = worker_outbox.queue AND earlier.transport = worker_outbox.transport AND earlier.application = $1::VARCHAR AND earlier.seq < worker_outbox.seq AND earlier.claimed_until > $2::FLOAT AND earlier.claimed_by != $3::VARCHAR AND earlier.claimed_by != $4::VARCHAR)) ORDER BY worker_outbox.seq LIMIT $5 OFFSET 0', ('application', 'now', 'worker', 'schedule', 'limit')),
)

CLAIMABLE_BY = Statement(
    Sql('SELECT worker_outbox.seq, worker_outbox.application, worker_outbox.message_id, worker_outbox.origin, worker_outbox.transport, worker_outbox.queue, worker_outbox.type, worker_outbox.body, worker_outbox."key", worker_outbox.delay, worker_outbox.priority, worker_outbox.content_type, worker_outbox.created_at, worker_outbox.claimed_by, worker_outbox.claimed_until FROM worker_outbox WHERE worker_outbox.application = ? AND (worker_outbox.claimed_until <= ? OR worker_outbox.claimed_by = ?) AND NOT (EXISTS (SELECT earlier.seq FROM worker_outbox AS earlier WHERE earlier.origin = worker_outbox.origin AND earlier.application = ? AND earlier.seq < worker_outbox.seq AND earlier.claimed_until > ? AND earlier.claimed_by != ? AND earlier.claimed_by != ?)) AND NOT (EXISTS (SELECT earlier.seq FROM worker_outbox AS earlier WHERE earlier."key" = worker_outbox."key" AND earlier.queue = worker_outbox.queue AND earlier.transport = worker_outbox.transport AND earlier.application = ? AND earlier.seq < worker_outbox.seq AND earlier.claimed_until > ? AND earlier.claimed_by != ? AND earlier.claimed_by != ?)) AND worker_outbox.transport IN (SELECT value FROM json_each(?)) ORDER BY worker_outbox.seq LIMIT ? OFFSET 0', ('application', 'now', 'worker', 'application', 'now', 'worker', 'schedule', 'application', 'now', 'worker', 'schedule', 'transports', 'limit')),
    Sql('SELECT worker_outbox.seq, worker_outbox.application, worker_outbox.message_id, worker_outbox.origin, worker_outbox.transport, worker_outbox.queue, worker_outbox.type, worker_outbox.body, worker_outbox.key, worker_outbox.delay, worker_outbox.priority, worker_outbox.content_type, worker_outbox.created_at, worker_outbox.claimed_by, worker_outbox.claimed_until FROM worker_outbox WHERE worker_outbox.application = $1::VARCHAR AND (worker_outbox.claimed_until <= $2::FLOAT OR worker_outbox.claimed_by = $3::VARCHAR) AND NOT (EXISTS (SELECT earlier.seq FROM worker_outbox AS earlier WHERE earlier.origin = worker_outbox.origin AND earlier.application = $1::VARCHAR AND earlier.seq < worker_outbox.seq AND earlier.claimed_until > $2::FLOAT AND earlier.claimed_by != $3::VARCHAR AND earlier.claimed_by != $4::VARCHAR)) AND NOT (EXISTS (SELECT earlier.seq FROM worker_outbox AS earlier WHERE earlier.key = worker_outbox.key AND earlier.queue = worker_outbox.queue AND earlier.transport = worker_outbox.transport AND earlier.application = $1::VARCHAR AND earlier.seq < worker_outbox.seq AND earlier.claimed_until > $2::FLOAT AND earlier.claimed_by != $3::VARCHAR AND earlier.claimed_by != $4::VARCHAR)) AND worker_outbox.transport = ANY ($5::VARCHAR[]) ORDER BY worker_outbox.seq LIMIT $6 OFFSET 0', ('application', 'now', 'worker', 'schedule', 'transports', 'limit')),
)

CLAIM = Statement(
    Sql('UPDATE worker_outbox SET claimed_by=?, claimed_until=? WHERE worker_outbox.seq IN (SELECT value FROM json_each(?))', ('worker', 'until', 'seqs')),
    Sql('UPDATE worker_outbox SET claimed_by=$1::VARCHAR, claimed_until=$2::FLOAT WHERE worker_outbox.seq = ANY ($3::BIGINT[])', ('worker', 'until', 'seqs')),
)

ADD = Statement(
    Sql('INSERT INTO worker_outbox (application, message_id, origin, transport, queue, type, body, "key", delay, priority, content_type, created_at, claimed_by, claimed_until) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)', ('application', 'message_id', 'origin', 'transport', 'queue', 'type', 'body', 'key', 'delay', 'priority', 'content_type', 'created_at', 'claimed_by', 'claimed_until')),
    Sql('INSERT INTO worker_outbox (application, message_id, origin, transport, queue, type, body, key, delay, priority, content_type, created_at, claimed_by, claimed_until) VALUES ($1::VARCHAR, $2::VARCHAR, $3::VARCHAR, $4::VARCHAR, $5::VARCHAR, $6::VARCHAR, $7::BYTEA, $8::VARCHAR, $9::FLOAT, $10::INTEGER, $11::VARCHAR, $12::FLOAT, $13::VARCHAR, $14::FLOAT)', ('application', 'message_id', 'origin', 'transport', 'queue', 'type', 'body', 'key', 'delay', 'priority', 'content_type', 'created_at', 'claimed_by', 'claimed_until')),
)

ADD_ONCE = Statement(
    Sql('INSERT INTO worker_outbox (application, message_id, origin, transport, queue, type, body, "key", delay, priority, content_type, created_at, claimed_by, claimed_until) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING', ('application', 'message_id', 'origin', 'transport', 'queue', 'type', 'body', 'key', 'delay', 'priority', 'content_type', 'created_at', 'claimed_by', 'claimed_until')),
    Sql('INSERT INTO worker_outbox (application, message_id, origin, transport, queue, type, body, key, delay, priority, content_type, created_at, claimed_by, claimed_until) VALUES ($1::VARCHAR, $2::VARCHAR, $3::VARCHAR, $4::VARCHAR, $5::VARCHAR, $6::VARCHAR, $7::BYTEA, $8::VARCHAR, $9::FLOAT, $10::INTEGER, $11::VARCHAR, $12::FLOAT, $13::VARCHAR, $14::FLOAT) ON CONFLICT DO NOTHING', ('application', 'message_id', 'origin', 'transport', 'queue', 'type', 'body', 'key', 'delay', 'priority', 'content_type', 'created_at', 'claimed_by', 'claimed_until')),
)

REPLACE = Statement(
    Sql('DELETE FROM worker_outbox WHERE worker_outbox.application = ? AND worker_outbox.message_id IN (SELECT value FROM json_each(?))', ('application', 'ids')),
    Sql('DELETE FROM worker_outbox WHERE worker_outbox.application = $1::VARCHAR AND worker_outbox.message_id = ANY ($2::VARCHAR[])', ('application', 'ids')),
)

POSTPONE = Statement(
    Sql('UPDATE worker_outbox SET origin=worker_outbox.message_id, claimed_by=?, claimed_until=((worker_outbox.created_at + worker_outbox.delay) - ?) WHERE worker_outbox.seq IN (SELECT value FROM json_each(?))', ('schedule', 'longest', 'seqs')),
    Sql('UPDATE worker_outbox SET origin=worker_outbox.message_id, claimed_by=$1::VARCHAR, claimed_until=((worker_outbox.created_at + worker_outbox.delay) - $2::FLOAT) WHERE worker_outbox.seq = ANY ($3::BIGINT[])', ('schedule', 'longest', 'seqs')),
)

PARKED = Statement(
    Sql('SELECT worker_outbox.transport, worker_outbox.queue, count(*) AS count FROM worker_outbox WHERE worker_outbox.application = ? AND worker_outbox.claimed_by = ? AND worker_outbox.claimed_until > ? GROUP BY worker_outbox.transport, worker_outbox.queue', ('application', 'schedule', 'now')),
    Sql('SELECT worker_outbox.transport, worker_outbox.queue, count(*) AS count FROM worker_outbox WHERE worker_outbox.application = $1::VARCHAR AND worker_outbox.claimed_by = $2::VARCHAR AND worker_outbox.claimed_until > $3::FLOAT GROUP BY worker_outbox.transport, worker_outbox.queue', ('application', 'schedule', 'now')),
)

PENDING = Statement(
    Sql('SELECT worker_outbox.seq, worker_outbox.application, worker_outbox.message_id, worker_outbox.origin, worker_outbox.transport, worker_outbox.queue, worker_outbox.type, worker_outbox.body, worker_outbox."key", worker_outbox.delay, worker_outbox.priority, worker_outbox.content_type, worker_outbox.created_at, worker_outbox.claimed_by, worker_outbox.claimed_until FROM worker_outbox WHERE worker_outbox.application = ? AND worker_outbox.created_at <= ? ORDER BY worker_outbox.seq LIMIT ? OFFSET 0', ('application', 'before', 'limit')),
    Sql('SELECT worker_outbox.seq, worker_outbox.application, worker_outbox.message_id, worker_outbox.origin, worker_outbox.transport, worker_outbox.queue, worker_outbox.type, worker_outbox.body, worker_outbox.key, worker_outbox.delay, worker_outbox.priority, worker_outbox.content_type, worker_outbox.created_at, worker_outbox.claimed_by, worker_outbox.claimed_until FROM worker_outbox WHERE worker_outbox.application = $1::VARCHAR AND worker_outbox.created_at <= $2::FLOAT ORDER BY worker_outbox.seq LIMIT $3 OFFSET 0', ('application', 'before', 'limit')),
)

REMOVE = Statement(
    Sql('DELETE FROM worker_outbox WHERE worker_outbox.seq IN (SELECT value FROM json_each(?))', ('seqs',)),
    Sql('DELETE FROM worker_outbox WHERE worker_outbox.seq = ANY ($1::BIGINT[])', ('seqs',)),
)

RELEASE = Statement(
    Sql('UPDATE worker_outbox SET claimed_until=0.0 WHERE worker_outbox.application = ? AND worker_outbox.claimed_by = ?', ('application', 'worker')),
    Sql('UPDATE worker_outbox SET claimed_until=0.0 WHERE worker_outbox.application = $1::VARCHAR AND worker_outbox.claimed_by = $2::VARCHAR', ('application', 'worker')),
)

HELD = Statement(
    Sql('SELECT worker_outbox.seq FROM worker_outbox WHERE worker_outbox.application = ? AND worker_outbox.message_id = ? LIMIT 1 OFFSET 0', ('application', 'message_id')),
    Sql('SELECT worker_outbox.seq FROM worker_outbox WHERE worker_outbox.application = $1::VARCHAR AND worker_outbox.message_id = $2::VARCHAR LIMIT 1 OFFSET 0', ('application', 'message_id')),
)

COUNT = Statement(
    Sql('SELECT count(*) AS count_1 FROM worker_outbox WHERE worker_outbox.application = ? AND NOT (worker_outbox.claimed_by = ? AND worker_outbox.claimed_until > ?)', ('application', 'schedule', 'now')),
    Sql('SELECT count(*) AS count_1 FROM worker_outbox WHERE worker_outbox.application = $1::VARCHAR AND NOT (worker_outbox.claimed_by = $2::VARCHAR AND worker_outbox.claimed_until > $3::FLOAT)', ('application', 'schedule', 'now')),
)
