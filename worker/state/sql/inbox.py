"""Made from ``worker.state.statements.inbox`` by ``python -m worker.state.statements``: change it there."""

from __future__ import annotations

from worker.state.statement import Sql, Statement

KNOWN = Statement(
    Sql('SELECT worker_inbox.message_id, worker_inbox.handler FROM worker_inbox WHERE worker_inbox.application = ? AND worker_inbox.message_id IN (SELECT value FROM json_each(?))', ('application', 'ids')),
    Sql('SELECT worker_inbox.message_id, worker_inbox.handler FROM worker_inbox WHERE worker_inbox.application = $1::VARCHAR AND worker_inbox.message_id = ANY ($2::VARCHAR[])', ('application', 'ids')),
)

ADD = Statement(
    Sql('INSERT INTO worker_inbox (application, message_id, handler, done_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING', ('application', 'message_id', 'handler', 'done_at')),
    Sql('INSERT INTO worker_inbox (application, message_id, handler, done_at) VALUES ($1::VARCHAR, $2::VARCHAR, $3::VARCHAR, $4::FLOAT) ON CONFLICT DO NOTHING', ('application', 'message_id', 'handler', 'done_at')),
)

FORGET = Statement(
    Sql('DELETE FROM worker_inbox WHERE worker_inbox.application = ? AND worker_inbox.message_id = ?', ('application', 'message_id')),
    Sql('DELETE FROM worker_inbox WHERE worker_inbox.application = $1::VARCHAR AND worker_inbox.message_id = $2::VARCHAR', ('application', 'message_id')),
)

PRUNE = Statement(
    Sql('DELETE FROM worker_inbox WHERE worker_inbox.application = ? AND (worker_inbox.message_id, worker_inbox.handler) IN (SELECT anon_1.message_id, anon_1.handler FROM (SELECT worker_inbox.message_id AS message_id, worker_inbox.handler AS handler FROM worker_inbox WHERE worker_inbox.application = ? AND worker_inbox.done_at < ? LIMIT ? OFFSET 0) AS anon_1)', ('application', 'application', 'before', 'portion')),
    Sql('DELETE FROM worker_inbox WHERE worker_inbox.application = $1::VARCHAR AND (worker_inbox.message_id, worker_inbox.handler) IN (SELECT anon_1.message_id, anon_1.handler FROM (SELECT worker_inbox.message_id AS message_id, worker_inbox.handler AS handler FROM worker_inbox WHERE worker_inbox.application = $1::VARCHAR AND worker_inbox.done_at < $2::FLOAT LIMIT $3 OFFSET 0) AS anon_1)', ('application', 'before', 'portion')),
)
