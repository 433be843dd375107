"""``worker tokens add``: store a token."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import click
import msgspec

from worker.cli.duration import Duration
from worker.cli.globals import WorkerCommand
from worker.cli.invocation import Invocation, pass_invocation
from worker.cli.output import print_json
from worker.errors import Fault, InvalidMessage, UsageError
from worker.messaging.declaration import Registry
from worker.messaging.faults import collect
from worker.messaging.stamps import Result
from worker.resources.declared import DeclaredResource
from worker.seconds import LONGEST
from worker.settings import Settings
from worker.suggestion import hint
from worker.tokens.document import TokenDocument
from worker.tokens.messages import AddToken, TokenAdded
from worker.tokens.rights import RIGHTS
from worker.tokens.secret import hash_of, make_secret


@click.command(
    cls=WorkerCommand,
    examples="""
worker tokens add shop                         may send, ask and look where its commands stand
worker tokens add books --message 'catalog.*' --scope index=books,authors --limit 100/i
worker tokens add ops --right consumers --right failed --expires-in 30d
worker tokens add shop --renew                 a new secret; the one before ends
""",
)
@click.argument("id", metavar="ID")
@click.option(
    "--right",
    "rights",
    multiple=True,
    type=click.Choice(["*", *RIGHTS]),
    metavar="RIGHT",
    help=f"What it may do: {', '.join(RIGHTS)}, or * for all.  [default: send, ask, resources, status, docs]",
)
@click.option(
    "--message",
    "messages",
    multiple=True,
    metavar="TYPE",
    help="Types that it may send or ask; patterns too.",
)
@click.option(
    "--scope", "scopes", multiple=True, metavar="NAME=VALUE,VALUE", help="Values of a scope that it reaches."
)
@click.option("--plugin", "plugins", multiple=True, metavar="NAME", help="Plugins that it switches on.")
@click.option(
    "--limit", "limits", multiple=True, metavar="N/UNIT", help="How much it may send, like 10/s or 1K/h."
)
@click.option(
    "--referrer", "referrers", multiple=True, metavar="HOST", help="Hosts of pages that may use it."
)
@click.option("--expires-in", "expires_in", type=Duration(LONGEST), help="It ends after that time.")
@click.option("--renew", is_flag=True, help="Give one that exists a new secret.")
@pass_invocation
def add(
    invocation: Invocation,
    /,
    id: str,
    rights: tuple[str, ...],
    scopes: tuple[str, ...],
    expires_in: float | None,
    renew: bool,
    **lists: tuple[str, ...],
) -> None:
    """Store a token, in place of the one with its ID, and print its secret.

    The secret is shown this once: only its hash is stored. One that exists keeps its secret unless --renew is said.
    From the first token on the service answers no call without one.
    """
    members: dict[str, Any] = {"id": id, "scopes": _scopes(scopes), **lists}
    if rights:
        members["rights"] = rights
    if expires_in is not None:
        members["expires_at"] = datetime.fromtimestamp(time.time() + expires_in, UTC)
    try:
        token = msgspec.convert(members, TokenDocument)
    except msgspec.ValidationError as error:
        raise InvalidMessage("token", collect(TokenDocument, msgspec.to_builtins(members), error)) from error
    settings, registry = invocation.open()
    for line in _unknown_scopes(registry, token):
        click.echo(f"Warning: {line}", err=True)
    added, secret = asyncio.run(_added(invocation, settings, registry, token, renew))
    if invocation.json:
        print_json({"id": added.id, "secret": secret})
    elif secret is None:
        click.echo(f"changed {added.id}; its secret is as it was", err=True)
    else:
        click.echo(secret)


async def _added(
    invocation: Invocation, settings: Settings, registry: Registry, token: TokenDocument, renew: bool
) -> tuple[TokenAdded, str | None]:
    async with invocation.product.client(
        settings, registry, tables="create", queues=False, transports=()
    ) as client:
        secret = make_secret(client.entropy)
        try:
            outcome = (await client.command_bus.dispatch(AddToken(token, hash_of(secret), renew))).get(Result)
        except InvalidMessage as error:
            faults = [Fault(fault.pointer.removeprefix("/token"), fault.message) for fault in error.faults]
            raise InvalidMessage("token", faults) from error
    if outcome is None:
        raise UsageError("a middleware has ended it; nothing was changed")
    added: TokenAdded = outcome.value
    return added, secret if added.renewed else None


def _unknown_scopes(registry: Registry, token: TokenDocument) -> Iterator[str]:
    """Say which scopes keep the token from nothing, as no message or resource has them: most often a misspelt name."""
    known = {scope for message in registry.messages.values() for scope in message.scopes}
    known.update(scope for resource in registry.entries_of(DeclaredResource) for scope in resource.scopes)
    for name in token.scopes:
        if name not in known:
            yield f"--scope {name}: no message or resource has it, so it keeps the token from nothing{hint(name, known)}"


def _scopes(given: tuple[str, ...]) -> dict[str, list[str]]:
    """Read ``name=value,value``; an empty text after the sign reaches nothing, and a name may come again."""
    scopes: dict[str, list[str]] = {}
    for text in given:
        name, sign, values = text.partition("=")
        if not sign or not name:
            raise UsageError(f"--scope {text!r}: expected NAME=VALUE,VALUE")
        scopes.setdefault(name, []).extend(values.split(",") if values else [])
    return scopes
