"""``worker status``: the consumers, what waits for them, and the workers that are alive."""

from __future__ import annotations

import asyncio
from typing import Any

import click

from worker.cli.globals import WorkerCommand
from worker.cli.invocation import Invocation, pass_invocation
from worker.cli.output import print_heading, print_json, print_table


@click.command(
    cls=WorkerCommand,
    examples="""
worker status                                  what waits, by type
worker status --json | jq '.consumers[] | select(.failed > 0)'
""",
)
@pass_invocation
def status(invocation: Invocation) -> None:
    """Show what waits on each queue, and which workers are alive.

    Where a broker cannot tell a number, it is "-" (null with --json).
    """
    document = asyncio.run(_consumers(invocation))
    if invocation.json:
        print_json(document)
        return
    print_table(
        ("type", "kind", "transport", "queue", "state", "applied", "ready", "in flight", "delayed", "failed"),
        [
            (
                item["type"],
                item["kind"],
                item["transport"],
                item["queue"],
                "paused" if item["paused"] else "active",
                item["applied"],
                item["ready"],
                item["in_flight"],
                item["delayed"],
                item["failed"],
            )
            for item in document["consumers"]
        ],
        empty="no message is routed to a queue",
    )
    print_heading("Workers")
    print_table(
        ("id", "host", "pid", "started at", "seen at", "types"),
        [
            (
                worker["id"],
                worker["host"],
                worker["pid"],
                worker["started_at"],
                worker["seen_at"],
                worker["types"],
            )
            for worker in document["workers"]
        ],
        empty="none is alive",
    )


async def _consumers(invocation: Invocation) -> dict[str, Any]:
    settings, registry = invocation.open()
    async with invocation.service.client(settings, registry, queues=False, absent=True) as client:
        return await client.consumers()
