"""``worker pause|resume``: stop and start the handling of message types, in the whole fleet."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

import click

from worker.cli.actor import actor
from worker.cli.duration import Duration, parse_duration
from worker.cli.globals import WorkerCommand
from worker.cli.invocation import Invocation, pass_invocation
from worker.cli.output import print_json
from worker.cli.progress import waiting
from worker.cli.report import FAILED
from worker.errors import UsageError
from worker.messaging.consumers import Controlled, PauseConsumers, ResumeConsumers
from worker.messaging.stamps import Result

WAIT = 30.0
"""Seconds that ``--wait`` without a number waits."""

F = TypeVar("F", bound=Callable[..., Any])

_KINDS = click.Choice(["commands", "events"])


def _common(command: F) -> F:
    options = (
        click.argument("types", nargs=-1, metavar="[TYPE]..."),
        click.option("-Q", "--queue", "queues", multiple=True, help="All types of a queue; patterns too."),
        click.option("--kind", "kinds", multiple=True, type=_KINDS, help="All commands, or all events."),
        click.option("--reason", help="Why; shown by worker status and kept."),
        click.option(
            "--wait",
            is_flag=False,
            flag_value="",
            metavar="[SECONDS]",
            help=f"Return when every worker has applied it, after {WAIT:g} s at the latest; else exit 1.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.command(
    cls=WorkerCommand,
    examples="""
worker pause PlaceOrder --reason "price list is wrong"
worker pause PlaceOrder SendMail --for 15m --wait
worker pause 'catalog.*'                       every type that fits
worker pause --kind events                     all events
worker pause                                   everything
""",
)
@_common
@click.option("--for", "seconds", type=Duration(), help="End by itself after that time, like 90s or 15m.")
@click.option("--shared", is_flag=True, help="Also hold types that share a queue with those named.")
@pass_invocation
def pause(
    invocation: Invocation,
    types: tuple[str, ...],
    queues: tuple[str, ...],
    kinds: tuple[Any, ...],
    reason: str | None,
    wait: str | None,
    seconds: float | None,
    shared: bool,
) -> int:
    """Start nothing of these types in any worker, until they are resumed; nothing named is everything.

    What runs finishes. It is stored: it holds for workers that start later, and outlives them all. Messages
    wait in their queues, no attempt is charged, and new ones are taken.
    """
    if seconds == 0:
        raise UsageError("--for 0: expected a duration of more than 0")
    types, patience = _patience(types, wait)
    command = PauseConsumers(
        types=types,
        queues=queues,
        kinds=kinds,
        reason=reason,
        seconds=seconds,
        shared=shared,
        actor=actor(),
    )
    return asyncio.run(_dispatch(invocation, command, patience, "paused"))


@click.command(
    cls=WorkerCommand,
    examples="""
worker resume PlaceOrder
worker resume                                  everything
""",
)
@_common
@pass_invocation
def resume(
    invocation: Invocation,
    types: tuple[str, ...],
    queues: tuple[str, ...],
    kinds: tuple[Any, ...],
    reason: str | None,
    wait: str | None,
) -> int:
    """Take messages of these types again, also what others have paused; nothing named is everything.

    A type comes back together with those that share its queue.
    """
    types, patience = _patience(types, wait)
    command = ResumeConsumers(types=types, queues=queues, kinds=kinds, reason=reason, actor=actor())
    return asyncio.run(_dispatch(invocation, command, patience, "resumed"))


def _patience(types: tuple[str, ...], wait: str | None) -> tuple[tuple[str, ...], float | None]:
    """Read ``--wait``; what follows it is a type unless it reads as a duration."""
    if wait is None:
        return types, None
    if not wait:
        return types, WAIT
    try:
        return types, parse_duration(wait)
    except ValueError:
        return (wait, *types), WAIT


async def _dispatch(
    invocation: Invocation, command: PauseConsumers | ResumeConsumers, patience: float | None, done: str
) -> int:
    settings, registry = invocation.open()
    async with invocation.product.client(
        settings, registry, tables="create", queues=False, transports=()
    ) as client:
        outcome = (await client.command_bus.dispatch(command)).get(Result)
        changed = outcome.value if outcome is not None else Controlled(0, ())
        document: dict[str, Any] = {
            "version": changed.version,
            "types": list(changed.types),
            "changed": list(changed.changed),
        }
        lagging: list[str] = []
        if patience is not None:
            async with waiting("waiting for the workers"):
                applied = await client.applied(changed.version, patience)
            lagging = list(applied.lagging)
            document |= {"applied": applied.share, "lagging": lagging}
    if invocation.json:
        print_json(document)
    else:
        _print(document, done)
    return FAILED if lagging else 0


def _print(document: dict[str, Any], done: str) -> None:
    if not document["types"]:
        click.echo("no message is routed to a queue")
    elif done == "paused":
        for name in document["types"]:
            click.echo(f"paused {name}")
    else:
        for name in document["changed"]:
            click.echo(f"resumed {name}")
        if not document["changed"]:
            click.echo("nothing of it was paused")
    if "applied" in document:
        some, of_all = document["applied"].split("/")
        click.echo(f"applied on {some} of {of_all} workers")
    for name in document.get("lagging", ()):
        click.echo(f"not applied yet by worker {name}", err=True)
