"""``worker consume``: take messages from queues and run their handlers."""

from __future__ import annotations

from typing import Any

import click

from worker.cli.globals import WorkerCommand
from worker.cli.invocation import Invocation, pass_invocation
from worker.cli.processes import cell_command, run_program
from worker.cli.program_options import consume_options, consuming_options, flags_of, program_options


@click.command(
    cls=WorkerCommand,
    examples="""
worker consume                                 every transport that a message is routed to
worker consume rabbitmq sqlite -c 32           two transports, rabbitmq first
worker consume kafka --type PlaceOrder         one type only
worker consume sqlite -w 4 --memory-limit 512M four processes, each restarted above 512 MiB
worker consume sqlite --burst                  work off what is due, then stop
""",
)
@click.argument("transports", nargs=-1, metavar="[TRANSPORT]...")
@consuming_options
@program_options
@pass_invocation
def consume(
    invocation: Invocation, /, transports: tuple[str, ...], processes: int, reload: bool, **given: Any
) -> int:
    """Take messages from queues and run their handlers.

    Without TRANSPORT: from every transport that a message is routed to. Earlier names come first: a free slot
    takes from the earliest that has something ready. Limits count for each process; reaching one exits 0.

    TERM and the first Ctrl-C finish what is running; HUP restarts the processes one by one.
    """
    settings, registry = invocation.open(flags_of(given))
    options = consume_options(settings, transports, given, cell_command(invocation))
    return run_program(
        invocation,
        settings,
        lambda: invocation.product.consume(settings, registry, options),
        processes=processes,
        reload=reload,
        once=options.burst,
    )
