"""Made from ``worker.state.statements.statuses`` by ``python -m worker.state.statements``: change it there."""

from __future__ import annotations

from worker.state.statement import Sql, Statement

OF = Statement(
    Sql('SELECT worker_statuses.id, worker_statuses.type, worker_statuses.state, worker_statuses.transport, worker_statuses.queue, worker_statuses.attempts, worker_statuses.at, worker_statuses.put_back_at, worker_statuses.accepted_at, worker_statuses.started_at, worker_statuses.finished_at, worker_statuses.error_type, worker_statuses.error_message, worker_statuses.worker FROM worker_statuses WHERE worker_statuses.application = ? AND worker_statuses.id IN (SELECT value FROM json_each(?))', ('application', 'ids')),
    Sql('SELECT worker_statuses.id, worker_statuses.type, worker_statuses.state, worker_statuses.transport, worker_statuses.queue, worker_statuses.attempts, worker_statuses.at, worker_statuses.put_back_at, worker_statuses.accepted_at, worker_statuses.started_at, worker_statuses.finished_at, worker_statuses.error_type, worker_statuses.error_message, worker_statuses.worker FROM worker_statuses WHERE worker_statuses.application = $1::VARCHAR AND worker_statuses.id = ANY ($2::VARCHAR[])', ('application', 'ids')),
)

PRUNE_ENDED = Statement(
    Sql('DELETE FROM worker_statuses WHERE worker_statuses.application = ? AND worker_statuses.id IN (SELECT anon_1.id FROM (SELECT worker_statuses.id AS id FROM worker_statuses WHERE worker_statuses.application = ? AND worker_statuses.finished_at < ? LIMIT ? OFFSET 0) AS anon_1)', ('application', 'application', 'before', 'portion')),
    Sql('DELETE FROM worker_statuses WHERE worker_statuses.application = $1::VARCHAR AND worker_statuses.id IN (SELECT anon_1.id FROM (SELECT worker_statuses.id AS id FROM worker_statuses WHERE worker_statuses.application = $1::VARCHAR AND worker_statuses.finished_at < $2::FLOAT LIMIT $3 OFFSET 0) AS anon_1)', ('application', 'before', 'portion')),
)

PRUNE_LOST = Statement(
    Sql('DELETE FROM worker_statuses WHERE worker_statuses.application = ? AND worker_statuses.id IN (SELECT anon_1.id FROM (SELECT worker_statuses.id AS id FROM worker_statuses WHERE worker_statuses.application = ? AND worker_statuses.finished_at IS NULL AND worker_statuses.at < ? LIMIT ? OFFSET 0) AS anon_1)', ('application', 'application', 'before', 'portion')),
    Sql('DELETE FROM worker_statuses WHERE worker_statuses.application = $1::VARCHAR AND worker_statuses.id IN (SELECT anon_1.id FROM (SELECT worker_statuses.id AS id FROM worker_statuses WHERE worker_statuses.application = $1::VARCHAR AND worker_statuses.finished_at IS NULL AND worker_statuses.at < $2::FLOAT LIMIT $3 OFFSET 0) AS anon_1)', ('application', 'before', 'portion')),
)
