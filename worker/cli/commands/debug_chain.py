"""``worker debug chain``: the steps of buses and actions, in the order in which they run."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Literal

import click

from worker.chain.declared import DeclaredAction, DeclaredStep
from worker.cli.globals import WorkerCommand
from worker.cli.invocation import Invocation, pass_invocation
from worker.cli.lookup import message_named
from worker.cli.output import print_heading, print_json, print_table
from worker.cli.steps import COLUMNS, description, read_attributes, row, shown
from worker.errors import NotFound
from worker.messaging.declaration import Registry
from worker.settings import Settings
from worker.suggestion import hint

Side = Literal["dispatch", "consume"]


@click.command(
    cls=WorkerCommand,
    examples="""
worker debug chain                             all buses and actions
worker debug chain PlaceOrder                  a message: when it is dispatched, and when it is consumed
worker debug chain PlaceOrder --on consume
worker debug chain export load --request-type json_api --attribute class:shop.Book
worker debug chain --processors                all steps of actions, and where they run
""",
)
@click.argument("name", metavar="[TYPE | ACTION]", required=False)
@click.argument("group", required=False)
@click.option(
    "--on", type=click.Choice(["dispatch", "consume"]), help="One side of a bus only.  [default: both]"
)
@click.option(
    "--attribute",
    "attributes",
    multiple=True,
    metavar="NAME:VALUE",
    help="Leave out steps of an action that do not run with it: true, false, null, [a,b] or text.",
)
@click.option(
    "--request-type", "request_types", multiple=True, metavar="TYPE", help="Likewise; may be repeated."
)
@click.option("--processors", is_flag=True, help="By name, with the actions that each is part of.")
@pass_invocation
def chain(
    invocation: Invocation,
    name: str | None,
    group: str | None,
    on: Side | None,
    attributes: Sequence[str],
    request_types: Sequence[str],
    processors: bool,
) -> None:
    """Show buses and actions; of one, the steps in the order in which they run.

    Of a message, outermost first. Steps that can never run for it are left out; WHEN is what is still asked each time.
    Nothing is made or executed.
    """
    facts = read_attributes(attributes, request_types)
    settings, registry = invocation.open()
    actions = {action.name: action for action in registry.entries_of(DeclaredAction)}
    of_actions = bool(group or facts or processors)
    if of_actions and on is not None:
        raise click.UsageError(
            "--on is about a message's buses; GROUP and the other options are about actions"
        )
    if processors:
        chosen = list(actions.values()) if name is None else [_action_named(name, actions, registry)]
        _show_processors(invocation, registry, chosen, facts, group)
    elif name is None:
        if facts or on is not None:
            raise click.UsageError("of which action? Name one, or take --processors")
        _show_all(invocation, settings, registry, actions)
    else:
        document: dict[str, Any] = {}
        if not of_actions and (name in registry.by_name or not actions):
            document |= _message(invocation, settings, registry, name, on)
        if name in actions and on is None:
            document |= _action(invocation, registry, actions[name], facts, group)
        if not document:
            _action_named(name, actions, registry)
        if invocation.json:
            print_json(document)
        else:
            _print(document)


def _action_named(name: str, actions: dict[str, DeclaredAction], registry: Registry) -> DeclaredAction:
    found = actions.get(name)
    if found is not None:
        return found
    if name in registry.by_name:
        raise NotFound(f"{name!r} is a message; only actions have groups, attributes and processors")
    raise NotFound(f"there is no action or message {name!r}{hint(name, [*actions, *registry.by_name])}")


def _message(
    invocation: Invocation, settings: Settings, registry: Registry, name: str, on: Side | None
) -> dict[str, Any]:
    sides: tuple[Side, ...] = (on,) if on else ("dispatch", "consume")
    declared = message_named(registry, name)
    if declared.kind == "query" and on is None:
        sides = ("dispatch",)  # it is never queued: both sides are one

    async def look() -> dict[str, list[dict[str, Any]]]:
        async with invocation.product.client(
            settings, registry, tables="ignore", queues=False, transports=()
        ) as client:
            tables = {side: client.chain_table(declared.name, side) for side in sides}
        return {
            side: [dict(zip(COLUMNS, cells, strict=True)) for cells in rows] for side, rows in tables.items()
        }

    return {"type": declared.name, "chains": asyncio.run(look())}


def _show_all(
    invocation: Invocation, settings: Settings, registry: Registry, actions: dict[str, DeclaredAction]
) -> None:
    async def look() -> list[tuple[str, Side, list[str], int]]:
        async with invocation.product.client(
            settings, registry, tables="ignore", queues=False, transports=()
        ) as client:
            return list(client.bus_table())

    buses = [
        {"bus": bus, "on": side, "groups": groups, "steps": steps}
        for bus, side, groups, steps in asyncio.run(look())
    ]
    chains = {name: invocation.product.action_chain(registry, action) for name, action in actions.items()}
    found = [
        {
            "action": name,
            "groups": list(chain.groups),
            "steps": len(chain.steps),
            "built_in": actions[name].built_in,
        }
        for name, chain in chains.items()
    ]
    if invocation.json:
        print_json({"application": registry.application, "buses": buses, "actions": found})
        return
    print_heading("Buses")
    print_table(
        ("bus", "on", "groups", "steps"),
        [[one["bus"], one["on"], _joined(one["groups"]), one["steps"]] for one in buses],
    )
    print_heading("Actions")
    rows = [[one["action"], _joined(one["groups"]), one["steps"]] for one in found]
    print_table(("action", "groups", "steps"), rows, empty="no action is declared")
    click.echo(
        "\nworker debug chain ACTION shows the steps of one, worker debug chain TYPE those of a message."
    )


def _action(
    invocation: Invocation,
    registry: Registry,
    action: DeclaredAction,
    facts: dict[str, Any],
    group: str | None,
) -> dict[str, Any]:
    chain = invocation.product.action_chain(registry, action)
    _check_group(action, chain.groups, group)
    declared = {id(one.step): one for one in registry.entries_of(DeclaredStep)}
    steps = [
        {
            **dict(zip(COLUMNS, row(step, declared), strict=True)),
            "description": description(declared.get(id(step))),
        }
        for step in shown(chain, {**facts, "action": action.name}, group)
    ]
    return {"action": action.name, "groups": list(chain.groups), "steps": steps}


def _show_processors(
    invocation: Invocation,
    registry: Registry,
    actions: Sequence[DeclaredAction],
    facts: dict[str, Any],
    group: str | None,
) -> None:
    declared = {id(one.step): one for one in registry.entries_of(DeclaredStep)}
    names: dict[str, tuple[dict[str, None], str]] = {}
    for action in actions:
        chain = invocation.product.action_chain(registry, action)
        if len(actions) == 1:
            _check_group(action, chain.groups, group)
        for step in shown(chain, {**facts, "action": action.name}, group):
            text = description(declared.get(id(step)))
            names.setdefault(step.name, ({}, text))[0][action.name] = None
    items = [
        {"step": name, "actions": list(where), "description": text}
        for name, (where, text) in sorted(names.items())
    ]
    if invocation.json:
        print_json({"processors": items})
        return
    rows = [[item["step"], _joined(item["actions"]), item["description"]] for item in items]
    print_table(("step", "actions", "description"), rows, empty="no step")


def _check_group(action: DeclaredAction, groups: Sequence[str], group: str | None) -> None:
    if group is not None and group not in groups:
        raise NotFound(f"action {action.name!r} has no group {group!r}{hint(group, groups)}")


def _print(document: dict[str, Any]) -> None:
    for side, steps in document.get("chains", {}).items():
        click.echo(f"{document['type']} on {side}")
        _print_steps(steps)
        click.echo()
    if "action" in document:
        click.echo(f"{document['action']}: the steps in the order in which they run")
        _print_steps(document["steps"])


def _print_steps(steps: Sequence[dict[str, Any]]) -> None:
    rows = [["" if step[column] is None else step[column] for column in COLUMNS] for step in steps]
    print_table(COLUMNS, rows, empty="no step")


def _joined(names: Any) -> str:
    return ", ".join(names)
