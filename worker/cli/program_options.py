"""The options of the programs that stay, ``serve``, ``consume``, ``schedule`` and ``run``, and the values they make."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from worker.cli.duration import Duration
from worker.cli.lookup import check_transports
from worker.cli.size import Size
from worker.cli.whole import Whole
from worker.errors import UsageError
from worker.runtime.options import ConsumeOptions, ScheduleOptions, ServeOptions
from worker.settings import Settings
from worker.settings.model import MOST_SLOTS

F = TypeVar("F", bound=Callable[..., Any])

_COUNT = Whole(1)
_PROCESSES = Whole(1, 1000)
_SLOTS = Whole(1, MOST_SLOTS)

_PROGRAM = (
    click.option(
        "-w",
        "--workers",
        "processes",
        type=_PROCESSES,
        default=1,
        metavar="N",
        help="Processes.  [default: 1]",
    ),
    click.option(
        "--graceful-timeout", type=Duration(), help="Given to what is running when stopping.  [default: 30]"
    ),
    click.option(
        "--connect-timeout", type=Duration(), help="For broker and database at start.  [default: 10]"
    ),
    click.option("--no-setup", is_flag=True, help="Create no tables and queues; fail if one is missing."),
    click.option("--reload/--no-reload", default=False, help="Restart when a source file changes."),
)

_SERVING = (
    click.option("--host", metavar="ADDRESS", help="Where to listen.  [default: 127.0.0.1]"),
    click.option("--port", type=Whole(0, 65535), metavar="PORT", help="[default: 8000]"),
)

_CONSUMING = (
    click.option(
        "-Q", "--queue", "queues", multiple=True, metavar="QUEUE", help="Only these, earlier ones first."
    ),
    click.option(
        "-X", "--exclude-queue", "exclude_queues", multiple=True, metavar="QUEUE", help="Not these."
    ),
    click.option(
        "--type", "types", multiple=True, metavar="TYPE", help="Only queues of these message types."
    ),
    click.option(
        "-c",
        "--concurrency",
        type=_SLOTS,
        metavar="N",
        help="Handlers at once in one process.  [default: 16]",
    ),
    click.option("--limit", type=_COUNT, metavar="N", help="Stop after so many messages."),
    click.option("--time-limit", type=Duration(), help="Stop after this time."),
    click.option(
        "--memory-limit",
        type=Size(),
        help="Stop after a message that leaves it above this much memory, like 256M.",
    ),
    click.option("--failure-limit", type=_COUNT, metavar="N", help="Stop after so many failed attempts."),
    click.option("--burst", is_flag=True, help="Stop when nothing is due any more."),
    click.option("--health-port", type=Whole(0, 65535), metavar="PORT", help="Serve health here."),
)


def program_options(command: F) -> F:
    """Options of every program."""
    return _added(command, _PROGRAM)


def serving_options(command: F) -> F:
    """Options of the intake."""
    return _added(command, _SERVING)


def consuming_options(command: F) -> F:
    """Options of the consumer."""
    return _added(command, _CONSUMING)


def flags_of(given: dict[str, Any]) -> dict[str, Any]:
    """Settings, by dotted key, that the options stand for."""
    keys = {
        "host": "http.host",
        "port": "http.port",
        "concurrency": "worker.concurrency",
        "graceful_timeout": "worker.graceful_timeout",
        "connect_timeout": "worker.connect_timeout",
        "health_port": "worker.health_port",
    }
    return {key: given[name] for name, key in keys.items() if given.get(name) is not None}


def serve_options(settings: Settings, given: dict[str, Any]) -> ServeOptions:
    """Make the intake's options."""
    return ServeOptions(
        host=settings.http.host,
        port=settings.http.port,
        setup=not given["no_setup"],
        graceful_timeout=settings.worker.graceful_timeout,
        trust_gateway=settings.http.trust_gateway,
    )


def schedule_options(settings: Settings, given: dict[str, Any]) -> ScheduleOptions:
    """Make the scheduler's options."""
    return ScheduleOptions(setup=not given["no_setup"], graceful_timeout=settings.worker.graceful_timeout)


def consume_options(
    settings: Settings, transports: Sequence[str], given: dict[str, Any], cell: Sequence[str] = ()
) -> ConsumeOptions:
    """Make the consumer's options; ``cell`` is the command of a process for single messages.

    Raises:
        ConfigurationError: a transport is not configured.
        UsageError: a limit is passed before the first message.
    """
    check_transports(settings, transports)
    if given["time_limit"] == 0:
        raise UsageError("--time-limit 0: expected a duration of more than 0")
    return ConsumeOptions(
        transports=tuple(dict.fromkeys(transports)),
        queues=given["queues"],
        exclude_queues=given["exclude_queues"],
        types=given["types"],
        concurrency=settings.worker.concurrency,
        limit=given["limit"],
        time_limit=given["time_limit"],
        memory_limit=given["memory_limit"],
        failure_limit=given["failure_limit"],
        burst=given["burst"],
        graceful_timeout=settings.worker.graceful_timeout,
        setup=not given["no_setup"],
        health_port=settings.worker.health_port,
        cell=tuple(cell),
    )


def _added(command: F, options: Sequence[Callable[[F], F]]) -> F:
    for option in reversed(options):
        command = option(command)
    return command
