"""``worker schedule list|crontab``: how schedules stand, and lines for the system's crontab."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import click

from worker.cli.globals import WorkerCommand
from worker.cli.invocation import Invocation, pass_invocation
from worker.cli.output import print_heading, print_json, print_table
from worker.cli.whole import Whole
from worker.errors import UsageError
from worker.failed.filters import EXPECTED, seconds_of_time
from worker.messaging.crontab import crontab_lines
from worker.schedules.crontab import within


@click.command(
    "list",
    cls=WorkerCommand,
    examples="""
worker schedule list                           name, next and last time, what is paused
worker schedule list --next 5 --from 2026-10-24T00:00:00Z
worker schedule list --json | jq '.items[] | select(.paused)'
""",
)
@click.option(
    "--next",
    "count",
    type=Whole(1, 1000),
    metavar="N",
    help="Also show the next N times of each.",
)
@click.option(
    "--from",
    "start",
    metavar="TIME",
    help="Times from then on, not from now: 2026-01-31T12:00:00Z, or 2h, 7d ago.",
)
@pass_invocation
def list_schedules(invocation: Invocation, count: int | None, start: str | None) -> None:
    """Show the schedules: when they fire next, when they fired last, and which are paused."""
    since = None
    if start is not None:
        since = seconds_of_time(start, time.time())
        if since is None:
            raise UsageError(f"--from {start[:64]!r}: {EXPECTED}")
    document = asyncio.run(_document(invocation, count, since))
    if invocation.json:
        print_json(document)
        return
    items = document["items"]
    print_table(
        ("name", "when", "timezone", "missed", "state", "next at", "last at", "last id"),
        [
            (
                item["name"],
                item.get("cron") or f"every {item['every']:g} s",
                item["timezone"],
                item["missed"],
                "paused" if item["paused"] else "active",
                item["next_at"],
                item["last_at"],
                item["last_id"],
            )
            for item in items
        ],
        empty="no schedule is declared",
    )
    for item in items:
        if "next" in item:
            print_heading(item["name"])
            for tick in item["next"]:
                click.echo(tick)
    failed = [item for item in items if item["last_error"]]
    if failed:
        print_heading("Failed the last time")
        print_table(
            ("name", "error", "text"),
            [(item["name"], item["last_error"]["type"], item["last_error"]["message"]) for item in failed],
        )
    if items and document["scheduler"] is None:
        click.echo("no scheduler runs; start one: worker schedule", err=True)


@click.command(
    cls=WorkerCommand,
    examples="""
worker schedule crontab | crontab -            replaces the crontab of the user
worker schedule crontab --json                 {"lines": [...]}
""",
)
@pass_invocation
def crontab(invocation: Invocation) -> None:
    """Print the application's lines for the system's crontab; each command runs in the configuration's folder."""
    settings = invocation.settings()
    lines = [within(settings.base, line) for line in crontab_lines(invocation.registry(settings))]
    if invocation.json:
        print_json({"lines": lines})
        return
    for line in lines:
        click.echo(line)


async def _document(invocation: Invocation, count: int | None, since: float | None) -> dict[str, Any]:
    settings, registry = invocation.open()
    async with invocation.product.client(settings, registry, queues=False, transports=()) as client:
        return await client.schedules.document(count=count, since=since)
