"""``worker status``: the consumers, what waits for them, and the workers that are alive."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
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
    """Show what waits on each queue, what is paused, and which workers are alive.

    APPLIED counts the workers that take a type and have applied the latest pause or resume.

    Where a broker cannot tell a number, it is "-" (null with --json).
    """
    document = asyncio.run(_consumers(invocation))
    if invocation.json:
        print_json(document)
        return
    print_table(
        (
            "type",
            "kind",
            "transport",
            "queue",
            "state",
            "applied",
            "ready",
            "in flight",
            "delayed",
            "consumers",
            "failed",
        ),
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
                item["consumers"],
                item["failed"],
            )
            for item in document["consumers"]
        ],
        empty="no message is routed to a queue",
    )
    paused = [item for item in document["consumers"] if item["paused"]]
    if paused:
        print_heading("Paused")
        print_table(
            ("type", "since", "by", "why", "until", "waiting", "applied"),
            [
                (
                    item["type"],
                    item["pause"]["since"],
                    item["pause"]["actor"],
                    item["pause"]["reason"],
                    item["pause"]["until"],
                    item["ready"],
                    _applied(item),
                )
                for item in paused
            ],
        )
    _print_exclusive(document["exclusive"])
    _print_positions(document["consumers"])
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
    troubles = [(worker["id"], trouble) for worker in document["workers"] for trouble in worker["troubles"]]
    if troubles:
        print_heading("Troubles")
        print_table(("worker", "what"), troubles)


def _print_exclusive(held: dict[str, Any] | None) -> None:
    """The command that all others wait for, if any."""
    if held is not None:
        print_heading("Exclusive: all other commands wait")
        print_table(("type", "since", "worker"), [(held["type"], held["since"], held["worker"])])


def _print_positions(items: Sequence[dict[str, Any]]) -> None:
    """How far partitions are done, for the queues that have such."""
    rows = [
        (item["transport"], item["queue"], one["partition"], one["committed"], one["end"], item["oldest_age"])
        for item in {(each["transport"], each["queue"]): each for each in items}.values()
        for one in item["positions"] or ()
    ]
    if rows:
        print_heading("Positions")
        print_table(("transport", "queue", "partition", "committed", "end", "oldest age"), rows)


def _applied(item: dict[str, Any]) -> str:
    """``2 of 3, not by <worker>``."""
    some, of_all = item["applied"].split("/")
    missing = f", not by {', '.join(item['lagging'])}" if item["lagging"] else ""
    return f"{some} of {of_all}{missing}"


async def _consumers(invocation: Invocation) -> dict[str, Any]:
    settings, registry = invocation.open()
    async with invocation.product.client(settings, registry, queues=False, absent=True) as client:
        return await client.consumers()
