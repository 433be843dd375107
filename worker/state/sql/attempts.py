"""Made from ``worker.state.statements.attempts`` by ``python -m worker.state.statements``: change it there."""

from __future__ import annotations

from worker.state.statement import Sql, Statement

ADD = Statement(
    Sql('INSERT INTO worker_attempts (message_id, attempt, at, worker, handler, error_type, error_message, trace) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING', ('message_id', 'attempt', 'at', 'worker', 'handler', 'error_type', 'error_message', 'trace')),
    Sql('INSERT INTO worker_attempts (message_id, attempt, at, worker, handler, error_type, error_message, trace) VALUES ($1::VARCHAR, $2::INTEGER, $3::FLOAT, $4::VARCHAR, $5::VARCHAR, $6::VARCHAR, $7::VARCHAR, $8::VARCHAR) ON CONFLICT DO NOTHING', ('message_id', 'attempt', 'at', 'worker', 'handler', 'error_type', 'error_message', 'trace')),
)

TRIM = Statement(
    Sql('DELETE FROM worker_attempts WHERE worker_attempts.message_id = ? AND worker_attempts.seq < (SELECT worker_attempts.seq FROM worker_attempts WHERE worker_attempts.message_id = ? ORDER BY worker_attempts.seq DESC LIMIT 1 OFFSET ?)', ('message_id', 'message_id', 'newer')),
    Sql('DELETE FROM worker_attempts WHERE worker_attempts.message_id = $1::VARCHAR AND worker_attempts.seq < (SELECT worker_attempts.seq FROM worker_attempts WHERE worker_attempts.message_id = $1::VARCHAR ORDER BY worker_attempts.seq DESC LIMIT 1 OFFSET $2)', ('message_id', 'newer')),
)

OF = Statement(
    Sql('SELECT worker_attempts.seq, worker_attempts.message_id, worker_attempts.attempt, worker_attempts.at, worker_attempts.worker, worker_attempts.handler, worker_attempts.error_type, worker_attempts.error_message, worker_attempts.trace FROM worker_attempts WHERE worker_attempts.message_id IN (SELECT value FROM json_each(?)) ORDER BY worker_attempts.seq', ('ids',)),
    Sql('SELECT worker_attempts.seq, worker_attempts.message_id, worker_attempts.attempt, worker_attempts.at, worker_attempts.worker, worker_attempts.handler, worker_attempts.error_type, worker_attempts.error_message, worker_attempts.trace FROM worker_attempts WHERE worker_attempts.message_id = ANY ($1::VARCHAR[]) ORDER BY worker_attempts.seq', ('ids',)),
)

FORGET = Statement(
    Sql('DELETE FROM worker_attempts WHERE worker_attempts.message_id IN (SELECT value FROM json_each(?))', ('ids',)),
    Sql('DELETE FROM worker_attempts WHERE worker_attempts.message_id = ANY ($1::VARCHAR[])', ('ids',)),
)

PRUNE = Statement(
    Sql('DELETE FROM worker_attempts WHERE worker_attempts.seq IN (SELECT anon_1.seq FROM (SELECT worker_attempts.seq AS seq FROM worker_attempts WHERE worker_attempts.at < ? AND NOT (EXISTS (SELECT * FROM worker_failures WHERE worker_failures.id = worker_attempts.message_id)) LIMIT ? OFFSET 0) AS anon_1)', ('before', 'portion')),
    Sql('DELETE FROM worker_attempts WHERE worker_attempts.seq IN (SELECT anon_1.seq FROM (SELECT worker_attempts.seq AS seq FROM worker_attempts WHERE worker_attempts.at < $1::FLOAT AND NOT (EXISTS (SELECT * FROM worker_failures WHERE worker_failures.id = worker_attempts.message_id)) LIMIT $2 OFFSET 0) AS anon_1)', ('before', 'portion')),
)
