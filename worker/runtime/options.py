"""What one consumer process is asked to do."""

from __future__ import annotations

import msgspec


class ConsumeOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Options of ``worker consume``; None means no limit, empty means all.

    Attributes:
        transports: names, earlier first; empty: every transport that a message is routed to.
        queues: only these, earlier first.
        exclude_queues: not these.
        types: only queues of these message types.
        concurrency: handlers that run at once in this process, over all types.
        limit: messages to handle before stopping.
        time_limit: seconds.
        memory_limit: bytes of resident memory.
        failure_limit: failed attempts before stopping.
        burst: stop when nothing is due and the outbox is sent.
        graceful_timeout: seconds that running handlers get when stopping.
        setup: create missing tables and queues at start; else complain about them.
        health_port: serve health there; None for off.
        cell: command of a process that handles single messages alone; empty to do without.
        idle: go on where no message is routed to a queue; else that is an error.
    """

    transports: tuple[str, ...] = ()
    queues: tuple[str, ...] = ()
    exclude_queues: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    concurrency: int = 16
    limit: int | None = None
    time_limit: float | None = None
    memory_limit: int | None = None
    failure_limit: int | None = None
    burst: bool = False
    graceful_timeout: float = 30.0
    setup: bool = True
    health_port: int | None = None
    cell: tuple[str, ...] = ()
    idle: bool = False


class ServeOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Options of ``worker serve``.

    Attributes:
        host: where to listen.
        port: 0 for any that is free.
        setup: create missing tables and queues at start; else complain about them.
        graceful_timeout: seconds that requests under way get when stopping.
        trust_gateway: in a container, answer the machine that runs it too, without a token.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    setup: bool = True
    graceful_timeout: float = 30.0
    trust_gateway: bool = False


class ScheduleOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Options of ``worker schedule``.

    Attributes:
        setup: create missing tables and queues at start; else complain about them.
        graceful_timeout: seconds that a firing under way gets when stopping.
    """

    setup: bool = True
    graceful_timeout: float = 30.0
