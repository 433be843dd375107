"""``worker run``: intake, consumer and scheduler in one process."""

from __future__ import annotations

from typing import Any

import click

from worker.cli.globals import WorkerCommand
from worker.cli.invocation import Invocation, pass_invocation
from worker.cli.processes import cell_command, run_program
from worker.cli.program_options import (
    consume_options,
    consuming_options,
    flags_of,
    program_options,
    serve_options,
    serving_options,
)


@click.command(
    cls=WorkerCommand,
    short_help="Serve, consume and schedule in one process, for development.",
    examples="""
worker run                                     everything, on http://127.0.0.1:8000
worker run --port 9000 -c 4                    another port, at most four handlers at once
worker run --reload                            start anew when a source file changes
""",
)
@serving_options
@consuming_options
@program_options
@pass_invocation
def run(invocation: Invocation, /, processes: int, reload: bool, **given: Any) -> int:
    """Serve, consume and schedule in one process: for development, and for small services.

    Consumes every transport that a message is routed to. Takes the options of `worker serve` and
    `worker consume`.
    """
    settings, registry = invocation.open(flags_of(given))
    serving = serve_options(settings, given)
    consuming = consume_options(settings, (), given, cell_command(invocation))
    invocation.product.check_address(settings, registry, serving, processes)
    return run_program(
        invocation,
        settings,
        lambda: invocation.product.run(settings, registry, serving, consuming),
        processes=processes,
        reload=reload,
        once=consuming.burst,
    )
