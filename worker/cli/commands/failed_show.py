"""``worker failed groups|list|show``: look at the failure store."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import click
import msgspec

from worker.cli.filter_options import filter_of, filter_options
from worker.cli.globals import WorkerCommand
from worker.cli.invocation import Invocation, pass_invocation
from worker.cli.output import cell, print_heading, print_json, print_pairs, print_table
from worker.cli.whole import Whole


@click.command(cls=WorkerCommand, examples="worker failed groups")
@pass_invocation
def groups(invocation: Invocation) -> None:
    """Count failed messages by type, handler and error."""

    async def _look() -> Any:
        settings, registry = invocation.open()
        async with invocation.product.client(settings, registry, queues=False, transports=()) as client:
            return msgspec.to_builtins(await client.failed.groups())

    document = asyncio.run(_look())
    if invocation.json:
        print_json(document)
        return
    print_table(
        ("group", "type", "handler", "error", "count", "first at", "last at"),
        [
            (
                item["group"],
                item["type"],
                item["handler"],
                item["error"]["type"],
                item["count"],
                item["first_at"],
                item["last_at"],
            )
            for item in document["items"]
        ],
        empty="no failed message",
    )


@click.command(
    "list",
    cls=WorkerCommand,
    examples="""
worker failed list
worker failed list --type PlaceOrder --since 2h --limit 10
worker failed list --json | jq -r '.items[].id'
""",
)
@filter_options
@click.option("--limit", type=Whole(1, 1000), default=50, metavar="N", help="[default: 50]")
@click.option("--next", "after", metavar="CURSOR", help="The page after the one that named this cursor.")
@pass_invocation
def list_failed(invocation: Invocation, /, limit: int, after: str | None, **filters: str | None) -> None:
    """List failed messages, newest first."""
    chosen = filter_of(filters)

    async def _look() -> Any:
        settings, registry = invocation.open()
        async with invocation.product.client(settings, registry, queues=False, transports=()) as client:
            return msgspec.to_builtins(await client.failed.list(chosen, limit, after))

    document = asyncio.run(_look())
    if invocation.json:
        print_json(document)
        return
    print_table(
        ("id", "type", "transport", "queue", "failed at", "attempts", "error"),
        [
            (
                item["id"],
                item["type"],
                item["transport"],
                item["queue"],
                item["failed_at"],
                item["attempts"],
                _error(item["error"], 60),
            )
            for item in document["items"]
        ],
        empty="no failed message",
    )
    if document["next"]:
        shown = f"{len(document['items'])} of {document['total']}"
        click.echo(f"{shown}; the next page: --next {document['next']}", err=True)


@click.command(cls=WorkerCommand, examples="worker failed show 01890a5d-ac96-774b-bcce-b302099a8057")
@click.argument("failure_id", metavar="ID")
@pass_invocation
def show(invocation: Invocation, failure_id: str) -> None:
    """Show one failed message: errors, traces, attempts, envelope."""

    async def _look() -> Any:
        settings, registry = invocation.open()
        async with invocation.product.client(settings, registry, queues=False, transports=()) as client:
            return msgspec.to_builtins(await client.failed.show(failure_id))

    document = asyncio.run(_look())
    if invocation.json:
        print_json(document)
        return
    names = ("id", "type", "transport", "queue", "failed_at", "attempts", "group")
    print_pairs([(name.replace("_", " "), document[name]) for name in names])
    print_pairs([("error", _error(document["error"], None))])
    for attempt in document.get("history") or ():
        print_heading(f"Attempt {attempt['attempt']} at {attempt['at']}, worker {attempt['worker']}")
        if attempt.get("handler"):
            click.echo(f"handler {attempt['handler']}")
        click.echo(attempt["error"]["trace"].rstrip() or _error(attempt["error"], None))
    if document.get("envelope") is not None:
        print_heading("Envelope")
        click.echo(json.dumps(document["envelope"], indent=2, ensure_ascii=False))
    if document.get("body_base64") is not None:
        print_heading("Body as received (base64)")
        click.echo(document["body_base64"])


def _error(error: dict[str, str] | None, width: int | None) -> str | None:
    if error is None:
        return None
    text = cell(f"{error['type']}: {error['message']}" if error["message"] else error["type"])
    return text if width is None or len(text) <= width else f"{text[: width - 1]}…"
