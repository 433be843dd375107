"""Running a program in one process, in several, or again and again: what ``-w`` and ``--reload`` ask for."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from worker.cli.invocation import Invocation
from worker.cli.loop import run
from worker.cli.streams import forgive_stdout
from worker.runtime.process.beginning import Beginning
from worker.settings import Settings


def run_program(
    invocation: Invocation,
    settings: Settings,
    program: Callable[[], Coroutine[Any, Any, int]],
    *,
    processes: int,
    reload: bool = False,
    once: bool = False,
) -> int:
    """Run a program as asked; return the exit code. One process alone that HUP has stopped is started anew.

    The children get the same command line with what made this process their parent taken back at its end,
    where the last option wins.
    """
    forgive_stdout()
    grace = settings.worker.graceful_timeout
    if reload:
        from worker.cli.reload import run_reloading
        from worker.runtime.process.supervisor import command_line

        return run_reloading(
            command_line(appended(invocation.arguments, "--no-reload")), settings.base, grace
        )
    if processes > 1:
        return invocation.product.supervise(
            appended(invocation.arguments, "--workers", "1"), processes, grace, once=once
        )
    beginning = Beginning.now()
    code = run(program())
    if code >= 0:
        return code
    from worker.runtime.process.renewal import renew

    return renew(invocation.arguments, beginning)


def cell_command(invocation: Invocation) -> list[str]:
    """Make the command of a process that handles single messages for this one."""
    from worker.runtime.process.supervisor import command_line

    return command_line(appended(invocation.arguments, "--workers", "1", "--no-reload"))


def appended(arguments: tuple[str, ...], *options: str) -> list[str]:
    """Add options at the end, before a ``--`` if there is one."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    return [*arguments[:end], *options, *arguments[end:]]
