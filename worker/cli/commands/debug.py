"""``worker debug``: what the service is made of, for looking at."""

from __future__ import annotations

import json
from typing import Any

import click

from worker.cli.declared import options_of
from worker.cli.globals import WorkerCommand
from worker.cli.group import LazyGroup
from worker.cli.invocation import Invocation, pass_invocation
from worker.cli.output import print_json, print_table
from worker.messaging.declaring.functions import name_of
from worker.settings import masked

debug = LazyGroup(
    "debug",
    help="Look at what the service is made of.",
    examples="""
worker debug chain                             all buses and actions
worker debug chain PlaceOrder                  the steps that a PlaceOrder takes
worker debug messages                          all types, where they go and who handles them
worker debug resource Book                     its operations, and the steps of their requests
worker debug config                            the settings in force, secrets masked
""",
    table={
        "chain": f"{__name__}_chain:chain",
        "messages": f"{__name__}:messages",
        "resource": f"{__name__}_resource:resource",
        "config": f"{__name__}:config",
    },
)


@click.command(
    cls=WorkerCommand,
    examples="""
worker debug messages
worker debug messages --json | jq '.messages[].type'
""",
)
@pass_invocation
def messages(invocation: Invocation) -> None:
    """Show all message types: where they go and who handles them."""
    settings, registry = invocation.open()
    routes = invocation.product.routes(settings, registry).by_type
    items = []
    for message in registry.messages.values():
        route = routes.get(message.name)
        queued = route is not None and route.transport is not None
        items.append(
            {
                "type": message.name,
                "transport": route.transport if route is not None and queued else "inline",
                "queue": route.queue if route is not None and queued else None,
                "handlers": [handler.name for handler in registry.handlers.get(message.name, ())],
                "class": name_of(message.cls),
                **options_of(message),
            }
        )
    if invocation.json:
        print_json({"application": registry.application, "messages": items})
        return
    columns = ("type", "kind", "transport", "queue", "handlers")
    print_table(
        columns, [[item[column] for column in columns] for item in items], empty="no message is declared"
    )


@click.command(
    cls=WorkerCommand,
    examples="""
worker debug config
WORKER_HTTP__PORT=9000 worker debug config --json | jq .http.port
""",
)
@pass_invocation
def config(invocation: Invocation) -> None:
    """Show the settings in force, secrets masked."""
    document = masked(invocation.settings())
    if invocation.json:
        print_json(document)
        return
    for key, value in _flat("", document):
        click.echo(f"{key} = {json.dumps(value, ensure_ascii=False)}")


def _flat(prefix: str, table: dict[str, Any]) -> list[tuple[str, Any]]:
    pairs: list[tuple[str, Any]] = []
    for key, value in table.items():
        name = key if key.replace("_", "").replace("-", "").isalnum() else json.dumps(key)
        if isinstance(value, dict):
            pairs += _flat(f"{prefix}{name}.", value)
        else:
            pairs.append((f"{prefix}{name}", value))
    return pairs
