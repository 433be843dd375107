"""``worker tokens list``: look at tokens."""

from __future__ import annotations

import asyncio

import click

from worker.cli.globals import WorkerCommand
from worker.cli.invocation import Invocation, pass_invocation
from worker.cli.output import print_json, print_table
from worker.messaging.stamps import Result
from worker.tokens.messages import GetTokens, Tokens

_COLUMNS = ("id", "rights", "messages", "scopes", "plugins", "limits", "expires", "used")


@click.command(
    "list",
    cls=WorkerCommand,
    examples="""
worker tokens list
worker tokens list --json                      whole documents
""",
)
@pass_invocation
def list_tokens(invocation: Invocation) -> None:
    """Show all tokens, those of the settings first. Secrets are shown nowhere."""
    found = asyncio.run(_found(invocation))
    if invocation.json:
        print_json(found)
        return
    rows = [
        (
            token.id,
            token.rights,
            token.messages,
            [f"{name}={','.join(values)}" for name, values in token.scopes.items()],
            token.plugins,
            token.limits,
            token.expires_at,
            token.used_at,
        )
        for token in found.items
    ]
    print_table(_COLUMNS, rows, empty="there is no token")


async def _found(invocation: Invocation) -> Tokens:
    settings, registry = invocation.open()
    async with invocation.product.client(settings, registry, queues=False, transports=()) as client:
        result = (await client.query_bus.dispatch(GetTokens())).get(Result)
    return Tokens(()) if result is None else result.value
