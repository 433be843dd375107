"""``worker debug resource``: a resource's operations, and the steps that their requests take."""

from __future__ import annotations

from typing import Any

import click

from worker.cli.globals import WorkerCommand
from worker.cli.invocation import Invocation, pass_invocation
from worker.cli.output import print_json, print_table
from worker.errors import NotFound
from worker.resources.declared import DeclaredResource
from worker.resources.overview import resource_document
from worker.suggestion import hint

_OPERATIONS = ("method", "path", "action", "name", "status", "processor", "provider")
_STEPS = ("group", "priority", "step", "when", "plugin")


@click.command(
    cls=WorkerCommand,
    examples="""
worker debug resource
worker debug resource Book
worker debug resource Book --json | jq '.operations[].steps[].step'
""",
)
@click.argument("name", required=False)
@pass_invocation
def resource(invocation: Invocation, name: str | None) -> None:
    """Show all resources, or the operations of one and the steps of their requests in order; nothing is made or called."""
    _, registry = invocation.open()
    declared = {one.name: one for one in registry.entries_of(DeclaredResource)}
    if name is not None and name not in declared:
        raise NotFound(f"no resource {name!r} is declared{hint(name, declared)}")
    chosen = list(declared.values()) if name is None else [declared[name]]
    documents = [resource_document(one, registry) for one in chosen]
    if invocation.json:
        print_json({"resources": documents} if name is None else documents[0])
    elif name is None:
        _list(documents)
    else:
        _show(documents[0])


def _list(documents: list[dict[str, Any]]) -> None:
    rows = [
        [
            one["name"],
            one["path"],
            one["store"] or "-",
            ", ".join(_method(operation) for operation in one["operations"]),
        ]
        for one in documents
    ]
    print_table(("name", "path", "store", "operations"), rows, empty="no resource is declared")


def _show(document: dict[str, Any]) -> None:
    for member in ("name", "class", "path", "identifier", "store"):
        click.echo(f"{member}: {document[member] or '-'}")
    click.echo()
    print_table(
        _OPERATIONS, [[_cell(one[column]) for column in _OPERATIONS] for one in document["operations"]]
    )
    for operation in document["operations"]:
        click.echo(f"\n{_method(operation)} {operation['path']} ({operation['name']})")
        print_table(_STEPS, [[_cell(step[column]) for column in _STEPS] for step in operation["steps"]])


def _method(operation: dict[str, Any]) -> str:
    """The method, and whether it is the GET of the collection."""
    return (
        f"{operation['method']} collection" if operation["action"] == "get_list" else str(operation["method"])
    )


def _cell(value: Any) -> Any:
    if isinstance(value, dict):
        return ", ".join(f"{name}: {text}" for name, text in value.items())
    return "" if value is None else value
