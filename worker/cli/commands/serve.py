"""``worker serve``: take commands and queries over HTTP."""

from __future__ import annotations

from typing import Any

import click

from worker.cli.globals import WorkerCommand
from worker.cli.invocation import Invocation, pass_invocation
from worker.cli.processes import run_program
from worker.cli.program_options import flags_of, program_options, serve_options, serving_options


@click.command(
    cls=WorkerCommand,
    examples="""
worker serve                                   on http://127.0.0.1:8000, documentation at /docs
worker serve --port 9000 --workers 4           four processes share the port
curl -d '{"order_id": "7"}' -H 'Content-Type: application/json' localhost:8000/commands/PlaceOrder
""",
)
@serving_options
@program_options
@pass_invocation
def serve(invocation: Invocation, /, processes: int, reload: bool, **given: Any) -> int:
    """Take commands and queries over HTTP.

    A command is answered with 202 once it is safe on its queue; `worker consume` handles it. As long as there
    are no tokens, only addresses of this machine are served.
    """
    settings, registry = invocation.open(flags_of(given))
    options = serve_options(settings, given)
    invocation.product.check_address(settings, registry, options, processes)
    return run_program(
        invocation,
        settings,
        lambda: invocation.product.serve(settings, registry, options),
        processes=processes,
        reload=reload,
    )
