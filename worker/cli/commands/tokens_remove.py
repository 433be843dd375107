"""``worker tokens remove``: remove tokens."""

from __future__ import annotations

import asyncio

import click

from worker.cli.confirmation import confirm
from worker.cli.globals import WorkerCommand
from worker.cli.invocation import Invocation, pass_invocation
from worker.cli.output import print_json
from worker.errors import NotFound, UsageError
from worker.messaging.stamps import Result
from worker.tokens.messages import DeleteToken, DeleteTokens


@click.command(
    cls=WorkerCommand,
    examples="""
worker tokens remove shop
worker tokens remove --all --yes
""",
)
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--all", "everything", is_flag=True, help="All that are stored.")
@pass_invocation
def remove(invocation: Invocation, ids: tuple[str, ...], everything: bool) -> None:
    """Remove tokens by ID, or --all that are stored. Asks first.

    Where tokens have been in use the service stays closed to calls without one, also when the last one is gone.
    """
    if bool(ids) == everything:
        raise UsageError("expected IDs of tokens, or --all")
    named = dict.fromkeys(ids)
    confirm(invocation, "Remove all stored tokens?" if everything else f"Remove {', '.join(named)}?")
    count = asyncio.run(_removed(invocation, list(named)))
    if invocation.json:
        print_json({"removed": count})
    else:
        click.echo(f"{count} token{'' if count == 1 else 's'} removed")


async def _removed(invocation: Invocation, ids: list[str]) -> int:
    """Remove those that there are, then complain about the others."""
    settings, registry = invocation.open()
    async with invocation.product.client(settings, registry, queues=False, transports=()) as client:
        if not ids:
            outcome = (await client.command_bus.dispatch(DeleteTokens())).get(Result)
            return 0 if outcome is None else int(outcome.value)
        unknown: list[str] = []
        for id in ids:
            try:
                await client.command_bus.dispatch(DeleteToken(id))
            except NotFound:
                unknown.append(id)
        if unknown:
            raise NotFound(f"no token {', '.join(map(repr, unknown))} is stored")
        return len(ids)
