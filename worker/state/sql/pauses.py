"""Made from ``worker.state.statements.pauses`` by ``python -m worker.state.statements``: change it there."""

from __future__ import annotations

from worker.state.statement import Sql, Statement

VERSION = Statement(
    Sql('SELECT coalesce(max(worker_control.version), 0) AS coalesce_1 FROM worker_control WHERE worker_control.application = ?', ('application',)),
    Sql('SELECT coalesce(max(worker_control.version), 0) AS coalesce_1 FROM worker_control WHERE worker_control.application = $1::VARCHAR', ('application',)),
)

BUMP = Statement(
    Sql('INSERT INTO worker_control (application, version) VALUES (?, 1) ON CONFLICT (application) DO UPDATE SET version = (worker_control.version + 1) RETURNING version', ('application',)),
    Sql('INSERT INTO worker_control (application, version) VALUES ($1::VARCHAR, 1) ON CONFLICT (application) DO UPDATE SET version = (worker_control.version + 1) RETURNING worker_control.version', ('application',)),
)

UNBUMP = Statement(
    Sql('UPDATE worker_control SET version=(worker_control.version - 1) WHERE worker_control.application = ?', ('application',)),
    Sql('UPDATE worker_control SET version=(worker_control.version - 1) WHERE worker_control.application = $1::VARCHAR', ('application',)),
)

RULES = Statement(
    Sql('SELECT worker_pauses.number, worker_pauses.application, worker_pauses.action, worker_pauses.origin, worker_pauses.scope, worker_pauses.value, worker_pauses.actor, worker_pauses.reason, worker_pauses.since, worker_pauses.until, worker_pauses.owner FROM worker_pauses WHERE worker_pauses.application = ? ORDER BY worker_pauses.number', ('application',)),
    Sql('SELECT worker_pauses.number, worker_pauses.application, worker_pauses.action, worker_pauses.origin, worker_pauses.scope, worker_pauses.value, worker_pauses.actor, worker_pauses.reason, worker_pauses.since, worker_pauses.until, worker_pauses.owner FROM worker_pauses WHERE worker_pauses.application = $1::VARCHAR ORDER BY worker_pauses.number', ('application',)),
)

ADD = Statement(
    Sql('INSERT INTO worker_pauses (application, action, origin, scope, value, actor, reason, since, until, owner) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)', ('application', 'action', 'origin', 'scope', 'value', 'actor', 'reason', 'since', 'until', 'owner')),
    Sql('INSERT INTO worker_pauses (application, action, origin, scope, value, actor, reason, since, until, owner) VALUES ($1::VARCHAR, $2::VARCHAR, $3::VARCHAR, $4::VARCHAR, $5::VARCHAR, $6::VARCHAR, $7::VARCHAR, $8::FLOAT, $9::FLOAT, $10::VARCHAR)', ('application', 'action', 'origin', 'scope', 'value', 'actor', 'reason', 'since', 'until', 'owner')),
)

REMOVE = Statement(
    Sql('DELETE FROM worker_pauses WHERE worker_pauses.number IN (SELECT value FROM json_each(?))', ('numbers',)),
    Sql('DELETE FROM worker_pauses WHERE worker_pauses.number = ANY ($1::BIGINT[])', ('numbers',)),
)

NOTE = Statement(
    Sql('INSERT INTO worker_audit (application, at, actor, action, subject, reason, until, version) VALUES (?, ?, ?, ?, ?, ?, ?, ?)', ('application', 'at', 'actor', 'action', 'subject', 'reason', 'until', 'version')),
    Sql('INSERT INTO worker_audit (application, at, actor, action, subject, reason, until, version) VALUES ($1::VARCHAR, $2::FLOAT, $3::VARCHAR, $4::VARCHAR, $5::VARCHAR, $6::VARCHAR, $7::FLOAT, $8::BIGINT)', ('application', 'at', 'actor', 'action', 'subject', 'reason', 'until', 'version')),
)

AUDITED = Statement(
    Sql('SELECT worker_audit.seq, worker_audit.application, worker_audit.at, worker_audit.actor, worker_audit.action, worker_audit.subject, worker_audit.reason, worker_audit.until, worker_audit.version FROM worker_audit WHERE worker_audit.application = ? ORDER BY worker_audit.seq DESC LIMIT ? OFFSET 0', ('application', 'limit')),
    Sql('SELECT worker_audit.seq, worker_audit.application, worker_audit.at, worker_audit.actor, worker_audit.action, worker_audit.subject, worker_audit.reason, worker_audit.until, worker_audit.version FROM worker_audit WHERE worker_audit.application = $1::VARCHAR ORDER BY worker_audit.seq DESC LIMIT $2 OFFSET 0', ('application', 'limit')),
)
