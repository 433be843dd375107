"""Made from ``worker.state.statements.pauses`` by ``python -m worker.state.statements``: change it there."""

from __future__ import annotations

from worker.state.statement import Sql, Statement

VERSION = Statement(
    Sql('SELECT worker_control.version FROM worker_control', ()),
    Sql('SELECT worker_control.version FROM worker_control', ()),
)

BUMP = Statement(
    Sql('UPDATE worker_control SET version=(worker_control.version + 1) RETURNING version', ()),
    Sql('UPDATE worker_control SET version=(worker_control.version + 1) RETURNING worker_control.version', ()),
)

UNBUMP = Statement(
    Sql('UPDATE worker_control SET version=(worker_control.version - 1)', ()),
    Sql('UPDATE worker_control SET version=(worker_control.version - 1)', ()),
)

RULES = Statement(
    Sql('SELECT worker_pauses.number, worker_pauses.action, worker_pauses.origin, worker_pauses.scope, worker_pauses.value, worker_pauses.actor, worker_pauses.reason, worker_pauses.since, worker_pauses.until, worker_pauses.owner FROM worker_pauses ORDER BY worker_pauses.number', ()),
    Sql('SELECT worker_pauses.number, worker_pauses.action, worker_pauses.origin, worker_pauses.scope, worker_pauses.value, worker_pauses.actor, worker_pauses.reason, worker_pauses.since, worker_pauses.until, worker_pauses.owner FROM worker_pauses ORDER BY worker_pauses.number', ()),
)

ADD = Statement(
    Sql('INSERT INTO worker_pauses (action, origin, scope, value, actor, reason, since, until, owner) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)', ('action', 'origin', 'scope', 'value', 'actor', 'reason', 'since', 'until', 'owner')),
    Sql('INSERT INTO worker_pauses (action, origin, scope, value, actor, reason, since, until, owner) VALUES ($1::VARCHAR, $2::VARCHAR, $3::VARCHAR, $4::VARCHAR, $5::VARCHAR, $6::VARCHAR, $7::FLOAT, $8::FLOAT, $9::VARCHAR)', ('action', 'origin', 'scope', 'value', 'actor', 'reason', 'since', 'until', 'owner')),
)

REMOVE = Statement(
    Sql('DELETE FROM worker_pauses WHERE worker_pauses.number IN (SELECT value FROM json_each(?))', ('numbers',)),
    Sql('DELETE FROM worker_pauses WHERE worker_pauses.number = ANY ($1::BIGINT[])', ('numbers',)),
)

NOTE = Statement(
    Sql('INSERT INTO worker_audit (at, actor, action, subject, reason, until, version) VALUES (?, ?, ?, ?, ?, ?, ?)', ('at', 'actor', 'action', 'subject', 'reason', 'until', 'version')),
    Sql('INSERT INTO worker_audit (at, actor, action, subject, reason, until, version) VALUES ($1::FLOAT, $2::VARCHAR, $3::VARCHAR, $4::VARCHAR, $5::VARCHAR, $6::FLOAT, $7::BIGINT)', ('at', 'actor', 'action', 'subject', 'reason', 'until', 'version')),
)

AUDITED = Statement(
    Sql('SELECT worker_audit.seq, worker_audit.at, worker_audit.actor, worker_audit.action, worker_audit.subject, worker_audit.reason, worker_audit.until, worker_audit.version FROM worker_audit ORDER BY worker_audit.seq DESC LIMIT ? OFFSET 0', ('limit',)),
    Sql('SELECT worker_audit.seq, worker_audit.at, worker_audit.actor, worker_audit.action, worker_audit.subject, worker_audit.reason, worker_audit.until, worker_audit.version FROM worker_audit ORDER BY worker_audit.seq DESC LIMIT $1 OFFSET 0', ('limit',)),
)
