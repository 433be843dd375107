"""``worker schedule pause|resume|run``: let ticks pass by, fire them again, or fire one now."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

import click

from worker.cli.actor import actor
from worker.cli.globals import WorkerCommand
from worker.cli.invocation import Invocation, pass_invocation
from worker.cli.output import print_json

F = TypeVar("F", bound=Callable[..., Any])

_NAMES = click.argument("names", nargs=-1, required=True, metavar="NAME...")


@click.command(
    cls=WorkerCommand,
    examples="""
worker schedule pause nightly
worker schedule pause nightly hourly --reason "the catalog moves"
""",
)
@_NAMES
@click.option("--reason", help="Why; shown by worker schedule list --json and kept.")
@pass_invocation
def pause(invocation: Invocation, names: tuple[str, ...], reason: str | None) -> None:
    """Let the ticks of these schedules pass by until they are resumed.

    It is stored: it holds for schedulers that start later. Ticks that pass by are not missed ones.
    """
    changed = asyncio.run(_changed(invocation, names, reason, pausing=True))
    _print(invocation, names, changed, "paused", "was paused before")


@click.command(
    cls=WorkerCommand,
    examples="""
worker schedule resume nightly
""",
)
@_NAMES
@pass_invocation
def resume(invocation: Invocation, names: tuple[str, ...]) -> None:
    """Fire the ticks of these schedules again, those from now on."""
    changed = asyncio.run(_changed(invocation, names, None, pausing=False))
    _print(invocation, names, changed, "resumed", "was not paused")


@click.command(
    "run",
    cls=WorkerCommand,
    examples="""
worker schedule run nightly                    prints the id of each message that it sends
""",
)
@click.argument("name")
@pass_invocation
def run_now(invocation: Invocation, name: str) -> None:
    """Fire a schedule now, also while it is paused; print the ids of what it sends.

    Its function runs in this process. When it fails, the exit code is 1.
    """
    ids = asyncio.run(_run(invocation, name))
    if invocation.json:
        print_json({"name": name, "ids": list(ids)})
        return
    for one in ids:
        click.echo(one)
    if not ids:
        click.echo("it has nothing to send", err=True)


async def _changed(
    invocation: Invocation, names: tuple[str, ...], reason: str | None, *, pausing: bool
) -> list[str]:
    settings, registry = invocation.open()
    async with invocation.product.client(
        settings, registry, tables="create", queues=False, transports=()
    ) as client:
        schedules = client.schedules
        if pausing:
            return await schedules.pause(names, actor(), reason)
        return await schedules.resume(names, actor())


async def _run(invocation: Invocation, name: str) -> tuple[str, ...]:
    settings, registry = invocation.open()
    async with invocation.product.client(settings, registry, tables="create", absent=True) as client:
        ids = await client.schedules.run(name, actor())
        await client.flush()
        return ids


def _print(
    invocation: Invocation, names: tuple[str, ...], changed: list[str], done: str, already: str
) -> None:
    if invocation.json:
        print_json({"schedules": list(dict.fromkeys(names)), "changed": changed})
        return
    for name in dict.fromkeys(names):
        click.echo(f"{done} {name}" if name in changed else f"{name} {already}")
