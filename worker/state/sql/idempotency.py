"""Made from ``worker.state.statements.idempotency`` by ``python -m worker.state.statements``: change it there."""

from __future__ import annotations

from worker.state.statement import Sql, Statement

FORGET = Statement(
    Sql('DELETE FROM worker_idempotency WHERE worker_idempotency.application = ? AND worker_idempotency.id IN (SELECT value FROM json_each(?)) AND worker_idempotency.expires_at <= ?', ('application', 'ids', 'now')),
    Sql('DELETE FROM worker_idempotency WHERE worker_idempotency.application = $1::VARCHAR AND worker_idempotency.id = ANY ($2::VARCHAR[]) AND worker_idempotency.expires_at <= $3::FLOAT', ('application', 'ids', 'now')),
)

ADD = Statement(
    Sql('INSERT INTO worker_idempotency (application, id, body_hash, message_id, state, claim, leased_until, expires_at, answer) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING', ('application', 'id', 'body_hash', 'message_id', 'state', 'claim', 'leased_until', 'expires_at', 'answer')),
    Sql('INSERT INTO worker_idempotency (application, id, body_hash, message_id, state, claim, leased_until, expires_at, answer) VALUES ($1::VARCHAR, $2::VARCHAR, $3::VARCHAR, $4::VARCHAR, $5::VARCHAR, $6::VARCHAR, $7::FLOAT, $8::FLOAT, $9::BYTEA) ON CONFLICT DO NOTHING', ('application', 'id', 'body_hash', 'message_id', 'state', 'claim', 'leased_until', 'expires_at', 'answer')),
)

CHOSEN = Statement(
    Sql('SELECT worker_idempotency.application, worker_idempotency.id, worker_idempotency.body_hash, worker_idempotency.message_id, worker_idempotency.state, worker_idempotency.claim, worker_idempotency.leased_until, worker_idempotency.expires_at, worker_idempotency.answer FROM worker_idempotency WHERE worker_idempotency.application = ? AND worker_idempotency.id IN (SELECT value FROM json_each(?)) ORDER BY worker_idempotency.id', ('application', 'ids')),
    Sql('SELECT worker_idempotency.application, worker_idempotency.id, worker_idempotency.body_hash, worker_idempotency.message_id, worker_idempotency.state, worker_idempotency.claim, worker_idempotency.leased_until, worker_idempotency.expires_at, worker_idempotency.answer FROM worker_idempotency WHERE worker_idempotency.application = $1::VARCHAR AND worker_idempotency.id = ANY ($2::VARCHAR[]) ORDER BY worker_idempotency.id FOR UPDATE', ('application', 'ids')),
)

TAKE = Statement(
    Sql('UPDATE worker_idempotency SET body_hash=?, message_id=?, state=?, claim=?, leased_until=?, expires_at=?, answer=? WHERE worker_idempotency.application = ? AND worker_idempotency.id = ?', ('body_hash', 'message_id', 'state', 'claim', 'leased_until', 'expires_at', 'answer', 'application', 'its')),
    Sql('UPDATE worker_idempotency SET body_hash=$1::VARCHAR, message_id=$2::VARCHAR, state=$3::VARCHAR, claim=$4::VARCHAR, leased_until=$5::FLOAT, expires_at=$6::FLOAT, answer=$7::BYTEA WHERE worker_idempotency.application = $8::VARCHAR AND worker_idempotency.id = $9::VARCHAR', ('body_hash', 'message_id', 'state', 'claim', 'leased_until', 'expires_at', 'answer', 'application', 'its')),
)

END = Statement(
    Sql('UPDATE worker_idempotency SET state=?, answer=? WHERE worker_idempotency.application = ? AND worker_idempotency.id = ? AND worker_idempotency.claim = ?', ('state', 'answer', 'application', 'its', 'mine')),
    Sql('UPDATE worker_idempotency SET state=$1::VARCHAR, answer=$2::BYTEA WHERE worker_idempotency.application = $3::VARCHAR AND worker_idempotency.id = $4::VARCHAR AND worker_idempotency.claim = $5::VARCHAR', ('state', 'answer', 'application', 'its', 'mine')),
)

PRUNE = Statement(
    Sql('DELETE FROM worker_idempotency WHERE worker_idempotency.application = ? AND worker_idempotency.id IN (SELECT anon_1.id FROM (SELECT worker_idempotency.id AS id FROM worker_idempotency WHERE worker_idempotency.application = ? AND worker_idempotency.expires_at <= ? LIMIT ? OFFSET 0) AS anon_1)', ('application', 'application', 'now', 'portion')),
    Sql('DELETE FROM worker_idempotency WHERE worker_idempotency.application = $1::VARCHAR AND worker_idempotency.id IN (SELECT anon_1.id FROM (SELECT worker_idempotency.id AS id FROM worker_idempotency WHERE worker_idempotency.application = $1::VARCHAR AND worker_idempotency.expires_at <= $2::FLOAT LIMIT $3 OFFSET 0) AS anon_1)', ('application', 'now', 'portion')),
)
