"""Made from ``worker.state.statements.breakers`` by ``python -m worker.state.statements``: change it there."""

from __future__ import annotations

from worker.state.statement import Sql, Statement

GET = Statement(
    Sql('SELECT worker_breakers.name, worker_breakers.trips, worker_breakers.due, worker_breakers.prober FROM worker_breakers WHERE worker_breakers.name = ?', ('breaker',)),
    Sql('SELECT worker_breakers.name, worker_breakers.trips, worker_breakers.due, worker_breakers.prober FROM worker_breakers WHERE worker_breakers.name = $1::VARCHAR', ('breaker',)),
)

ADD = Statement(
    Sql('INSERT INTO worker_breakers (name, trips, due, prober) VALUES (?, ?, ?, ?)', ('name', 'trips', 'due', 'prober')),
    Sql('INSERT INTO worker_breakers (name, trips, due, prober) VALUES ($1::VARCHAR, $2::INTEGER, $3::FLOAT, $4::VARCHAR)', ('name', 'trips', 'due', 'prober')),
)

SET = Statement(
    Sql('UPDATE worker_breakers SET trips=?, due=?, prober=? WHERE worker_breakers.name = ?', ('trips', 'due', 'prober', 'breaker')),
    Sql('UPDATE worker_breakers SET trips=$1::INTEGER, due=$2::FLOAT, prober=$3::VARCHAR WHERE worker_breakers.name = $4::VARCHAR', ('trips', 'due', 'prober', 'breaker')),
)

REMOVE = Statement(
    Sql('DELETE FROM worker_breakers WHERE worker_breakers.name = ?', ('breaker',)),
    Sql('DELETE FROM worker_breakers WHERE worker_breakers.name = $1::VARCHAR', ('breaker',)),
)

HELD = Statement(
    Sql('SELECT worker_pauses.value, worker_pauses.since FROM worker_pauses WHERE worker_pauses.owner = ? ORDER BY worker_pauses.number', ('breaker',)),
    Sql('SELECT worker_pauses.value, worker_pauses.since FROM worker_pauses WHERE worker_pauses.owner = $1::VARCHAR ORDER BY worker_pauses.number', ('breaker',)),
)

HOLD_UNTIL = Statement(
    Sql('UPDATE worker_pauses SET until=? WHERE worker_pauses.owner = ?', ('until', 'breaker')),
    Sql('UPDATE worker_pauses SET until=$1::FLOAT WHERE worker_pauses.owner = $2::VARCHAR', ('until', 'breaker')),
)

LET_GO = Statement(
    Sql('DELETE FROM worker_pauses WHERE worker_pauses.owner = ?', ('breaker',)),
    Sql('DELETE FROM worker_pauses WHERE worker_pauses.owner = $1::VARCHAR', ('breaker',)),
)
