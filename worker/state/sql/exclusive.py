"""Made from ``worker.state.statements.exclusive`` by ``python -m worker.state.statements``: change it there."""

from __future__ import annotations

from worker.state.statement import Sql, Statement

HELD = Statement(
    Sql('SELECT worker_exclusive.id, worker_exclusive.worker, worker_exclusive.message_id, worker_exclusive.type, worker_exclusive.version, worker_exclusive.until FROM worker_exclusive', ()),
    Sql('SELECT worker_exclusive.id, worker_exclusive.worker, worker_exclusive.message_id, worker_exclusive.type, worker_exclusive.version, worker_exclusive.until FROM worker_exclusive', ()),
)

CLEAR = Statement(
    Sql('DELETE FROM worker_exclusive', ()),
    Sql('DELETE FROM worker_exclusive', ()),
)

TAKE = Statement(
    Sql('INSERT INTO worker_exclusive (id, worker, message_id, type, version, until) VALUES (?, ?, ?, ?, ?, ?)', ('id', 'worker', 'message_id', 'type', 'version', 'until')),
    Sql('INSERT INTO worker_exclusive (id, worker, message_id, type, version, until) VALUES ($1::INTEGER, $2::VARCHAR, $3::VARCHAR, $4::VARCHAR, $5::BIGINT, $6::FLOAT)', ('id', 'worker', 'message_id', 'type', 'version', 'until')),
)

EXTEND = Statement(
    Sql('UPDATE worker_exclusive SET until=? WHERE worker_exclusive.message_id = ?', ('until', 'message_id')),
    Sql('UPDATE worker_exclusive SET until=$1::FLOAT WHERE worker_exclusive.message_id = $2::VARCHAR', ('until', 'message_id')),
)

RELEASE = Statement(
    Sql('DELETE FROM worker_exclusive WHERE worker_exclusive.message_id = ?', ('message_id',)),
    Sql('DELETE FROM worker_exclusive WHERE worker_exclusive.message_id = $1::VARCHAR', ('message_id',)),
)
