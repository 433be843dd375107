"""Made from ``worker.state.statements.workers`` by ``python -m worker.state.statements``: change it there."""

from __future__ import annotations

from worker.state.statement import Sql, Statement

BEAT = Statement(
    Sql('INSERT INTO worker_workers (id, application, host, pid, started_at, seen_at, applied_version, types, quiet_version, troubles) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET application = excluded.application, host = excluded.host, pid = excluded.pid, started_at = excluded.started_at, seen_at = excluded.seen_at, applied_version = excluded.applied_version, types = excluded.types, quiet_version = excluded.quiet_version, troubles = excluded.troubles', ('id', 'application', 'host', 'pid', 'started_at', 'seen_at', 'applied_version', 'types', 'quiet_version', 'troubles')),
    Sql('INSERT INTO worker_workers (id, application, host, pid, started_at, seen_at, applied_version, types, quiet_version, troubles) VALUES ($1::VARCHAR, $2::VARCHAR, $3::VARCHAR, $4::INTEGER, $5::FLOAT, $6::FLOAT, $7::BIGINT, $8::VARCHAR, $9::BIGINT, $10::VARCHAR) ON CONFLICT (id) DO UPDATE SET application = excluded.application, host = excluded.host, pid = excluded.pid, started_at = excluded.started_at, seen_at = excluded.seen_at, applied_version = excluded.applied_version, types = excluded.types, quiet_version = excluded.quiet_version, troubles = excluded.troubles', ('id', 'application', 'host', 'pid', 'started_at', 'seen_at', 'applied_version', 'types', 'quiet_version', 'troubles')),
)

LIVE = Statement(
    Sql('SELECT worker_workers.id, worker_workers.host, worker_workers.pid, worker_workers.started_at, worker_workers.seen_at, worker_workers.applied_version, worker_workers.types, worker_workers.quiet_version, worker_workers.troubles FROM worker_workers WHERE worker_workers.application = ? AND worker_workers.seen_at >= ? ORDER BY worker_workers.started_at, worker_workers.id', ('application', 'since')),
    Sql('SELECT worker_workers.id, worker_workers.host, worker_workers.pid, worker_workers.started_at, worker_workers.seen_at, worker_workers.applied_version, worker_workers.types, worker_workers.quiet_version, worker_workers.troubles FROM worker_workers WHERE worker_workers.application = $1::VARCHAR AND worker_workers.seen_at >= $2::FLOAT ORDER BY worker_workers.started_at, worker_workers.id', ('application', 'since')),
)

REMOVE = Statement(
    Sql('DELETE FROM worker_workers WHERE worker_workers.id = ?', ('worker_id',)),
    Sql('DELETE FROM worker_workers WHERE worker_workers.id = $1::VARCHAR', ('worker_id',)),
)

PRUNE = Statement(
    Sql('DELETE FROM worker_workers WHERE worker_workers.application = ? AND worker_workers.seen_at < ?', ('application', 'before')),
    Sql('DELETE FROM worker_workers WHERE worker_workers.application = $1::VARCHAR AND worker_workers.seen_at < $2::FLOAT', ('application', 'before')),
)
