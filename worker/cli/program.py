"""The program: ``worker`` and its commands; errors become messages and exit codes here, once for all."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import click

from worker import __version__
from worker.cli.arguments import check_utf8
from worker.cli.group import LazyGroup
from worker.cli.invocation import Invocation
from worker.cli.report import report

_COMMANDS = "worker.cli.commands"


class Program(LazyGroup):
    """The whole command line."""

    def main(  # type: ignore[override]  # click's overloads tell by standalone_mode what is returned
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> int:
        """Run the command that the arguments name; exit with its code, or return it when not standalone."""
        invocation: Invocation = extra.setdefault("obj", Invocation())
        invocation.arguments = tuple(sys.argv[1:] if args is None else args)
        try:
            check_utf8(invocation.arguments)
            code = (
                super().main(args, prog_name or "worker", complete_var, standalone_mode=False, **extra) or 0
            )
        except Exception as error:
            code = report(error, invocation)
        if standalone_mode:
            sys.exit(code)
        return int(code)


@click.version_option(__version__, prog_name="worker", message="%(prog)s %(version)s")
@click.pass_context
def _worker(context: click.Context) -> None:
    """Take commands over HTTP or Python, put them on a queue, and run their handlers without losing one."""


program = Program(
    "worker",
    callback=_worker,
    params=list(reversed(getattr(_worker, "__click_params__", []))),
    help=_worker.__doc__,
    examples="""
worker run                                     everything in one process, for development
worker send PlaceOrder order_id=7              send a command
worker serve --port 8000                       only take commands, over HTTP
worker consume sqlite -c 32                    only handle them
worker pause PlaceOrder --for 15m              start none of a type in any worker for a while
worker failed list                             what went wrong for good
""",
    table={
        "run": f"{_COMMANDS}.run:run",
        "serve": f"{_COMMANDS}.serve:serve",
        "consume": f"{_COMMANDS}.consume:consume",
        "send": f"{_COMMANDS}.send:send",
        "pause": f"{_COMMANDS}.pause:pause",
        "resume": f"{_COMMANDS}.pause:resume",
        "status": f"{_COMMANDS}.status:status",
        "schedule": f"{_COMMANDS}.schedule:schedule",
        "failed": f"{_COMMANDS}.failed:failed",
        "tokens": f"{_COMMANDS}.tokens:tokens",
        "setup": f"{_COMMANDS}.setup:setup",
        "check": f"{_COMMANDS}.check:check",
        "debug": f"{_COMMANDS}.debug:debug",
        "schema": f"{_COMMANDS}.schema:schema",
        "make": f"{_COMMANDS}.make:make",
        "completion": f"{_COMMANDS}.completion:completion",
    },
)
