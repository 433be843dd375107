"""``worker setup``: create missing tables and queues."""

from __future__ import annotations

import asyncio

import click

from worker.cli.globals import WorkerCommand
from worker.cli.invocation import Invocation, pass_invocation
from worker.cli.output import print_json


@click.command(
    cls=WorkerCommand,
    examples="""
worker setup                                   before the first start with --no-setup
worker setup --json                            {"created": [...]}
""",
)
@pass_invocation
def setup(invocation: Invocation) -> None:
    """Create tables and queues that are missing.

    Safe to run twice, and by several processes at once.
    """
    created = asyncio.run(_setup(invocation))
    if invocation.json:
        print_json({"created": created})
        return
    for name in created:
        click.echo(f"created {name}")
    if not created:
        click.echo("nothing was missing")


async def _setup(invocation: Invocation) -> list[str]:
    settings, registry = invocation.open()
    return await invocation.product.setup(settings, registry)
