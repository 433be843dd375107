"""``worker schedule``: fire schedules, and what can be done with them."""

from __future__ import annotations

from typing import Any

import click
from click.core import ParameterSource

from worker.cli.group import LazyGroup
from worker.cli.invocation import Invocation, pass_invocation
from worker.cli.processes import run_program
from worker.cli.program_options import flags_of, program_options, schedule_options
from worker.errors import UsageError

_COMMANDS = "worker.cli.commands"


@program_options
@pass_invocation
@click.pass_context
def _schedule(
    context: click.Context, invocation: Invocation, /, processes: int, reload: bool, **given: Any
) -> int | None:
    """Fire the schedules of the application, or look at them and change them.

    Without COMMAND it fires them until it is stopped. Several may run: one acts, and another takes over within
    10 s when it dies. It also sends what was parked. `worker run` does the same beside its other work.
    """
    if context.invoked_subcommand is not None:
        said = [name for name in context.params if _is_said(context, name)]
        if said:
            raise UsageError(f"worker schedule {context.invoked_subcommand}: options stand after it")
        return None
    settings, registry = invocation.open(flags_of(given))
    options = schedule_options(settings, given)
    return run_program(
        invocation,
        settings,
        lambda: invocation.product.schedule(settings, registry, options),
        processes=processes,
        reload=reload,
    )


def _is_said(context: click.Context, name: str) -> bool:
    return context.get_parameter_source(name) is ParameterSource.COMMANDLINE


schedule = LazyGroup(
    "schedule",
    callback=_schedule,
    params=list(reversed(getattr(_schedule, "__click_params__", []))),
    help=_schedule.__doc__,
    short_help="Fire schedules, look at them and change them.",
    invoke_without_command=True,
    examples="""
worker schedule                                fire the schedules
worker schedule list --next 3                  the next three times of each
worker schedule pause nightly --reason "shop is closed"
worker schedule run nightly                    fire one now
worker schedule crontab | crontab -            lines for the system's own cron
""",
    table={
        "list": f"{_COMMANDS}.schedule_show:list_schedules",
        "pause": f"{_COMMANDS}.schedule_change:pause",
        "resume": f"{_COMMANDS}.schedule_change:resume",
        "run": f"{_COMMANDS}.schedule_change:run_now",
        "crontab": f"{_COMMANDS}.schedule_show:crontab",
    },
)
