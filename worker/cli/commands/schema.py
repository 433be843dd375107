"""``worker schema``: documents that describe the service to others."""

from __future__ import annotations

import click

from worker.cli.globals import WorkerCommand
from worker.cli.group import LazyGroup
from worker.cli.invocation import Invocation, pass_invocation
from worker.cli.lookup import message_named
from worker.cli.output import print_json
from worker.messaging.message_schema import message_schemas

schema = LazyGroup(
    "schema",
    help="Print documents that describe the service to others.",
    examples="""
worker schema openapi > openapi.json
worker schema jsonschema PlaceOrder            one message type
""",
    table={"openapi": f"{__name__}:openapi", "jsonschema": f"{__name__}:jsonschema"},
)


@click.command(cls=WorkerCommand, examples="worker schema openapi > openapi.json")
@pass_invocation
def openapi(invocation: Invocation) -> None:
    """Print the OpenAPI 3.1 document of the HTTP intake."""
    settings, registry = invocation.open()
    print_json(invocation.product.openapi(settings, registry))


@click.command(
    cls=WorkerCommand,
    examples="""
worker schema jsonschema                       all messages, by wire name
worker schema jsonschema PlaceOrder            one of them
""",
)
@click.argument("types", nargs=-1, metavar="[TYPE]...")
@pass_invocation
def jsonschema(invocation: Invocation, types: tuple[str, ...]) -> None:
    """Print JSON Schema of the messages' data.

    Of one TYPE its schema; of several, or of all, an object of schemas by wire name. Queries and events too.
    """
    _, registry = invocation.open()
    chosen = [message_named(registry, name) for name in types] or list(registry.messages.values())
    found, components = message_schemas(chosen, "#/$defs/{name}")
    by_name = {message.name: schema for message, schema in zip(chosen, found, strict=True)}
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    if len(types) == 1:
        print_json({**head, **found[0], "$defs": dict(components)})
    else:
        print_json({**head, "title": registry.application, "messages": by_name, "$defs": dict(components)})
