"""Made from ``worker.state.statements.attempts`` by ``python -m worker.state.statements``: change it there."""

from __future__ import annotations

from worker.state.statement import Sql, Statement

ADD = Statement(
    Sql('INSERT INTO worker_attempts (application, message_id, attempt, at, worker, handler, error_type, error_message, trace) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING', ('application', 'message_id', 'attempt', 'at', 'worker', 'handler', 'error_type', 'error_message', 'trace')),
    Sql('INSERT INTO worker_attempts (application, message_id, attempt, at, worker, handler, error_type, error_message, trace) VALUES ($1::VARCHAR, $2::VARCHAR, $3::INTEGER, $4::FLOAT, $5::VARCHAR, $6::VARCHAR, $7::VARCHAR, $8::VARCHAR, $9::VARCHAR) ON CONFLICT DO NOTHING', ('application', 'message_id', 'attempt', 'at', 'worker', 'handler', 'error_type', 'error_message', 'trace')),
)

TRIM = Statement(
    Sql('DELETE FROM worker_attempts WHERE worker_attempts.application = ? AND worker_attempts.message_id = ? AND worker_attempts.seq < (SELECT worker_attempts.seq FROM worker_attempts WHERE worker_attempts.application = ? AND worker_attempts.message_id = ? ORDER BY worker_attempts.seq DESC LIMIT 1 OFFSET ?)', ('application', 'message_id', 'application', 'message_id', 'newer')),
    Sql('DELETE FROM worker_attempts WHERE worker_attempts.application = $1::VARCHAR AND worker_attempts.message_id = $2::VARCHAR AND worker_attempts.seq < (SELECT worker_attempts.seq FROM worker_attempts WHERE worker_attempts.application = $1::VARCHAR AND worker_attempts.message_id = $2::VARCHAR ORDER BY worker_attempts.seq DESC LIMIT 1 OFFSET $3)', ('application', 'message_id', 'newer')),
)

OF = Statement(
    Sql('SELECT worker_attempts.seq, worker_attempts.application, worker_attempts.message_id, worker_attempts.attempt, worker_attempts.at, worker_attempts.worker, worker_attempts.handler, worker_attempts.error_type, worker_attempts.error_message, worker_attempts.trace FROM worker_attempts WHERE worker_attempts.application = ? AND worker_attempts.message_id IN (SELECT value FROM json_each(?)) ORDER BY worker_attempts.seq', ('application', 'ids')),
    Sql('SELECT worker_attempts.seq, worker_attempts.application, worker_attempts.message_id, worker_attempts.attempt, worker_attempts.at, worker_attempts.worker, worker_attempts.handler, worker_attempts.error_type, worker_attempts.error_message, worker_attempts.trace FROM worker_attempts WHERE worker_attempts.application = $1::VARCHAR AND worker_attempts.message_id = ANY ($2::VARCHAR[]) ORDER BY worker_attempts.seq', ('application', 'ids')),
)

FORGET = Statement(
    Sql('DELETE FROM worker_attempts WHERE worker_attempts.application = ? AND worker_attempts.message_id IN (SELECT value FROM json_each(?))', ('application', 'ids')),
    Sql('DELETE FROM worker_attempts WHERE worker_attempts.application = $1::VARCHAR AND worker_attempts.message_id = ANY ($2::VARCHAR[])', ('application', 'ids')),
)

PRUNE = Statement(
    Sql('DELETE FROM worker_attempts WHERE worker_attempts.application = ? AND worker_attempts.seq IN (SELECT anon_1.seq FROM (SELECT worker_attempts.seq AS seq FROM worker_attempts WHERE worker_attempts.application = ? AND worker_attempts.at < ? AND NOT (EXISTS (SELECT * FROM worker_failures WHERE worker_failures.application = ? AND worker_failures.id = worker_attempts.message_id)) LIMIT ? OFFSET 0) AS anon_1)', ('application', 'application', 'before', 'application', 'portion')),
    Sql('DELETE FROM worker_attempts WHERE worker_attempts.application = $1::VARCHAR AND worker_attempts.seq IN (SELECT anon_1.seq FROM (SELECT worker_attempts.seq AS seq FROM worker_attempts WHERE worker_attempts.application = $1::VARCHAR AND worker_attempts.at < $2::FLOAT AND NOT (EXISTS (SELECT * FROM worker_failures WHERE worker_failures.application = $1::VARCHAR AND worker_failures.id = worker_attempts.message_id)) LIMIT $3 OFFSET 0) AS anon_1)', ('application', 'before', 'portion')),
)
