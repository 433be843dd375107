"""Made from ``worker.state.statements.suspects`` by ``python -m worker.state.statements``: change it there."""

from __future__ import annotations

from worker.state.statement import Sql, Statement

OF = Statement(
    Sql('SELECT worker_suspects.name, worker_suspects.record FROM worker_suspects WHERE worker_suspects.application = ? AND worker_suspects.name IN (SELECT value FROM json_each(?))', ('application', 'names')),
    Sql('SELECT worker_suspects.name, worker_suspects.record FROM worker_suspects WHERE worker_suspects.application = $1::VARCHAR AND worker_suspects.name = ANY ($2::VARCHAR[])', ('application', 'names')),
)

PUT = Statement(
    Sql('INSERT INTO worker_suspects (application, name, at, record) VALUES (?, ?, ?, ?) ON CONFLICT (application, name) DO UPDATE SET at = excluded.at, record = excluded.record', ('application', 'name', 'at', 'record')),
    Sql('INSERT INTO worker_suspects (application, name, at, record) VALUES ($1::VARCHAR, $2::VARCHAR, $3::FLOAT, $4::VARCHAR) ON CONFLICT (application, name) DO UPDATE SET at = excluded.at, record = excluded.record', ('application', 'name', 'at', 'record')),
)

REMOVE = Statement(
    Sql('DELETE FROM worker_suspects WHERE worker_suspects.application = ? AND worker_suspects.name IN (SELECT value FROM json_each(?))', ('application', 'names')),
    Sql('DELETE FROM worker_suspects WHERE worker_suspects.application = $1::VARCHAR AND worker_suspects.name = ANY ($2::VARCHAR[])', ('application', 'names')),
)

SEEN = Statement(
    Sql('SELECT worker_workers.id, worker_workers.seen_at FROM worker_workers WHERE worker_workers.application = ? AND worker_workers.id IN (SELECT value FROM json_each(?))', ('application', 'ids')),
    Sql('SELECT worker_workers.id, worker_workers.seen_at FROM worker_workers WHERE worker_workers.application = $1::VARCHAR AND worker_workers.id = ANY ($2::VARCHAR[])', ('application', 'ids')),
)

PRUNE = Statement(
    Sql('DELETE FROM worker_suspects WHERE worker_suspects.application = ? AND worker_suspects.name IN (SELECT anon_1.name FROM (SELECT worker_suspects.name AS name FROM worker_suspects WHERE worker_suspects.application = ? AND worker_suspects.at < ? LIMIT ? OFFSET 0) AS anon_1)', ('application', 'application', 'before', 'portion')),
    Sql('DELETE FROM worker_suspects WHERE worker_suspects.application = $1::VARCHAR AND worker_suspects.name IN (SELECT anon_1.name FROM (SELECT worker_suspects.name AS name FROM worker_suspects WHERE worker_suspects.application = $1::VARCHAR AND worker_suspects.at < $2::FLOAT LIMIT $3 OFFSET 0) AS anon_1)', ('application', 'before', 'portion')),
)
