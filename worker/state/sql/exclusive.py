"""Made from ``worker.state.statements.exclusive`` by ``python -m worker.state.statements``: change it there."""

from __future__ import annotations

from worker.state.statement import Sql, Statement

HELD = Statement(
    Sql('SELECT worker_exclusive.application, worker_exclusive.worker, worker_exclusive.message_id, worker_exclusive.type, worker_exclusive.version, worker_exclusive.until, worker_exclusive.since FROM worker_exclusive WHERE worker_exclusive.application = ?', ('application',)),
    Sql('SELECT worker_exclusive.application, worker_exclusive.worker, worker_exclusive.message_id, worker_exclusive.type, worker_exclusive.version, worker_exclusive.until, worker_exclusive.since FROM worker_exclusive WHERE worker_exclusive.application = $1::VARCHAR', ('application',)),
)

CLEAR = Statement(
    Sql('DELETE FROM worker_exclusive WHERE worker_exclusive.application = ?', ('application',)),
    Sql('DELETE FROM worker_exclusive WHERE worker_exclusive.application = $1::VARCHAR', ('application',)),
)

TAKE = Statement(
    Sql('INSERT INTO worker_exclusive (application, worker, message_id, type, version, until, since) VALUES (?, ?, ?, ?, ?, ?, ?)', ('application', 'worker', 'message_id', 'type', 'version', 'until', 'since')),
    Sql('INSERT INTO worker_exclusive (application, worker, message_id, type, version, until, since) VALUES ($1::VARCHAR, $2::VARCHAR, $3::VARCHAR, $4::VARCHAR, $5::BIGINT, $6::FLOAT, $7::FLOAT)', ('application', 'worker', 'message_id', 'type', 'version', 'until', 'since')),
)

EXTEND = Statement(
    Sql('UPDATE worker_exclusive SET until=? WHERE worker_exclusive.application = ? AND worker_exclusive.message_id = ?', ('until', 'application', 'message_id')),
    Sql('UPDATE worker_exclusive SET until=$1::FLOAT WHERE worker_exclusive.application = $2::VARCHAR AND worker_exclusive.message_id = $3::VARCHAR', ('until', 'application', 'message_id')),
)

RELEASE = Statement(
    Sql('DELETE FROM worker_exclusive WHERE worker_exclusive.application = ? AND worker_exclusive.message_id = ?', ('application', 'message_id')),
    Sql('DELETE FROM worker_exclusive WHERE worker_exclusive.application = $1::VARCHAR AND worker_exclusive.message_id = $2::VARCHAR', ('application', 'message_id')),
)
