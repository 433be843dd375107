"""``worker check``: whether configuration, application, database and brokers are as they must be."""

from __future__ import annotations

import asyncio
from typing import Any

import click
import msgspec

from worker.cli.globals import WorkerCommand
from worker.cli.guarantees import guarantees, price
from worker.cli.invocation import Invocation, pass_invocation
from worker.cli.output import print_heading, print_json, print_pairs, print_table
from worker.cli.report import FAILED, UNREACHABLE
from worker.errors import DatabaseUnavailable, Unavailable
from worker.messaging.abilities import Requests
from worker.messaging.declaration import Kind, Registry
from worker.messaging.transport import Features
from worker.resources.declared import DeclaredResource
from worker.settings import Settings, masked
from worker.settings.masking import mask_text

_KINDS: tuple[Kind, ...] = ("command", "query", "event")


@click.command(
    cls=WorkerCommand,
    short_help="Check configuration, application, database and brokers.",
    examples="""
worker check                                   everything that a start would need
worker check --json | jq .healthy
""",
)
@pass_invocation
def check(invocation: Invocation) -> int:
    """Check configuration, application, database and brokers, and say what is guaranteed.

    Exit 1: tables or queues are missing, or a health check of the application says no. Exit 2: configuration or application are wrong. Exit 3: a broker or a
    database does not answer, or takes no writes.
    """
    settings, registry = invocation.open()
    invocation.product.check_endpoints(settings, registry)
    document, features, requests, unmade = asyncio.run(_look(invocation, settings, registry))
    if invocation.json:
        listed = {name: msgspec.to_builtins(found) for name, found in features.items()}
        guaranteed = {name: guarantees(found) for name, found in features.items()}
        print_json(
            {
                **document,
                "configuration": masked(settings),
                "features": listed,
                "guarantees": guaranteed,
                "requests": {name: msgspec.to_builtins(made) for name, made in requests.items()},
            }
        )
    else:
        _print(document, features, requests, unmade, settings, registry)
    unwell = [part for part, well in document["status"].items() if not well and part not in unmade]
    if any(_is_asked_by_all(part) for part in unwell):
        return UNREACHABLE
    return FAILED if unwell or document["missing"] or document["reasons"] else 0


def _is_asked_by_all(part: str) -> bool:
    """Whether nothing works without a part of the health document: not so of the application's own checks."""
    return part in {"database", "documents"} or part.startswith("transport.")


async def _look(
    invocation: Invocation, settings: Settings, registry: Registry
) -> tuple[dict[str, Any], dict[str, Features], dict[str, Requests], list[str]]:
    """The document, each transport's features, requests that are paid for, and which parts are files that do not exist yet."""
    names = invocation.product.routes(settings, registry).transports()
    try:
        async with invocation.product.client(
            settings, registry, tables="ignore", queues=False, absent=True
        ) as client:
            report = msgspec.to_builtins(await client.health())
            unmade = client.unmade()
            report["reasons"] = [reason for reason in report["reasons"] if "no such file" not in reason]
            answers = all(
                well or part in unmade for part, well in report["status"].items() if _is_asked_by_all(part)
            )
            missing = await client.missing() if answers else None
            report["reasons"] += await client.faults() if answers else []
            requests = await client.requests() if answers and not missing else {}
            return {**report, "missing": missing}, client.features(), requests, unmade
    except Unavailable as error:
        return _unreachable(error, names), {}, {}, []


def _unreachable(error: Unavailable, names: list[str]) -> dict[str, Any]:
    """Make the document of a service that could not be opened: what was not reached yet is unknown."""
    reason = mask_text(str(error))
    database = not isinstance(error, DatabaseUnavailable)
    status: dict[str, bool | None] = {"database": database}
    for name in names:
        status[f"transport.{name}"] = False if database and (name in reason or len(names) == 1) else None
    return {"healthy": False, "status": status, "reasons": [reason], "missing": None}


def _counted(count: int, kind: str) -> str:
    """Write a number and what it counts: ``1 query``, ``0 queries``."""
    many = "queries" if kind == "query" else f"{kind}s"
    return f"{count} {kind if count == 1 else many}"


def _print(
    document: dict[str, Any],
    features: dict[str, Features],
    requests: dict[str, Requests],
    unmade: list[str],
    settings: Settings,
    registry: Registry,
) -> None:
    kinds: dict[str, int] = {kind: len(registry.of_kind(kind)) for kind in _KINDS}
    resources = len(registry.entries_of(DeclaredResource))
    if resources:
        kinds["resource"] = resources
    print_pairs(
        [
            ("configuration", settings.file or "defaults and environment"),
            ("application", f"{settings.app}: {', '.join(_counted(n, kind) for kind, n in kinds.items())}"),
        ]
    )
    words = {True: "answers", False: "DOES NOT ANSWER", None: "not reached"}
    print_pairs(
        [
            (name, "is not there yet" if name in unmade else words[answers])
            for name, answers in document["status"].items()
        ]
    )
    for reason in document["reasons"]:
        click.echo(f"Error: {reason}", err=True)
    for name in document["missing"] or ():
        click.echo(f"missing: {name} (worker setup creates it)")
    for name, found in features.items():
        print_heading(f"Transport {name}")
        print_table(("feature", "value"), list(msgspec.structs.asdict(found).items()))
        priced = price(requests[name]) if name in requests else ()
        for sentence in (*guarantees(found), *priced):
            click.echo(f"- {sentence}")
