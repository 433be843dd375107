"""Made from ``worker.state.statements.breakers`` by ``python -m worker.state.statements``: change it there."""

from __future__ import annotations

from worker.state.statement import Sql, Statement

GET = Statement(
    Sql('SELECT worker_breakers.application, worker_breakers.name, worker_breakers.trips, worker_breakers.due, worker_breakers.prober FROM worker_breakers WHERE worker_breakers.application = ? AND worker_breakers.name = ?', ('application', 'breaker')),
    Sql('SELECT worker_breakers.application, worker_breakers.name, worker_breakers.trips, worker_breakers.due, worker_breakers.prober FROM worker_breakers WHERE worker_breakers.application = $1::VARCHAR AND worker_breakers.name = $2::VARCHAR', ('application', 'breaker')),
)

ADD = Statement(
    Sql('INSERT INTO worker_breakers (application, name, trips, due, prober) VALUES (?, ?, ?, ?, ?)', ('application', 'name', 'trips', 'due', 'prober')),
    Sql('INSERT INTO worker_breakers (application, name, trips, due, prober) VALUES ($1::VARCHAR, $2::VARCHAR, $3::INTEGER, $4::FLOAT, $5::VARCHAR)', ('application', 'name', 'trips', 'due', 'prober')),
)

SET = Statement(
    Sql('UPDATE worker_breakers SET trips=?, due=?, prober=? WHERE worker_breakers.application = ? AND worker_breakers.name = ?', ('trips', 'due', 'prober', 'application', 'breaker')),
    Sql('UPDATE worker_breakers SET trips=$1::INTEGER, due=$2::FLOAT, prober=$3::VARCHAR WHERE worker_breakers.application = $4::VARCHAR AND worker_breakers.name = $5::VARCHAR', ('trips', 'due', 'prober', 'application', 'breaker')),
)

REMOVE = Statement(
    Sql('DELETE FROM worker_breakers WHERE worker_breakers.application = ? AND worker_breakers.name = ?', ('application', 'breaker')),
    Sql('DELETE FROM worker_breakers WHERE worker_breakers.application = $1::VARCHAR AND worker_breakers.name = $2::VARCHAR', ('application', 'breaker')),
)

HELD = Statement(
    Sql('SELECT worker_pauses.value, worker_pauses.since FROM worker_pauses WHERE worker_pauses.application = ? AND worker_pauses.owner = ? ORDER BY worker_pauses.number', ('application', 'breaker')),
    Sql('SELECT worker_pauses.value, worker_pauses.since FROM worker_pauses WHERE worker_pauses.application = $1::VARCHAR AND worker_pauses.owner = $2::VARCHAR ORDER BY worker_pauses.number', ('application', 'breaker')),
)

HOLD_UNTIL = Statement(
    Sql('UPDATE worker_pauses SET until=? WHERE worker_pauses.application = ? AND worker_pauses.owner = ?', ('until', 'application', 'breaker')),
    Sql('UPDATE worker_pauses SET until=$1::FLOAT WHERE worker_pauses.application = $2::VARCHAR AND worker_pauses.owner = $3::VARCHAR', ('until', 'application', 'breaker')),
)

LET_GO = Statement(
    Sql('DELETE FROM worker_pauses WHERE worker_pauses.application = ? AND worker_pauses.owner = ?', ('application', 'breaker')),
    Sql('DELETE FROM worker_pauses WHERE worker_pauses.application = $1::VARCHAR AND worker_pauses.owner = $2::VARCHAR', ('application', 'breaker')),
)
