"""``worker make``: write the beginning of a command, a middleware or a state processor."""

from __future__ import annotations

from pathlib import Path

import click

from worker.cli.globals import WorkerCommand
from worker.cli.group import LazyGroup
from worker.cli.invocation import Invocation, pass_invocation
from worker.cli.output import print_json
from worker.cli.templates import command_file, middleware_file, processor_file
from worker.errors import Guarded, UsageError

make = LazyGroup(
    "make",
    help="Write the beginning of a new part of an application; never over a file.",
    short_help="Write the beginning of a command, middleware or processor.",
    examples="""
worker make command PlaceOrder                 place_order.py in the current folder
worker make middleware Audit --dir shop        shop/audit.py
worker make processor UserProcessor            user_processor.py
""",
    table={
        "command": f"{__name__}:command",
        "middleware": f"{__name__}:middleware",
        "processor": f"{__name__}:processor",
    },
)

_folder = click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path),
    default=Path(),
    metavar="FOLDER",
    help="[default: here]",
)


@click.command(cls=WorkerCommand, examples="worker make command PlaceOrder --dir shop")
@click.argument("name")
@_folder
@pass_invocation
def command(invocation: Invocation, name: str, folder: Path) -> None:
    """Write a command and its handler."""
    _write(invocation, folder, *command_file(name))


@click.command(cls=WorkerCommand, examples="worker make middleware Audit --dir shop")
@click.argument("name")
@_folder
@pass_invocation
def middleware(invocation: Invocation, name: str, folder: Path) -> None:
    """Write a middleware."""
    _write(invocation, folder, *middleware_file(name))


@click.command(cls=WorkerCommand, examples="worker make processor UserProcessor --dir shop")
@click.argument("name")
@_folder
@pass_invocation
def processor(invocation: Invocation, name: str, folder: Path) -> None:
    """Write a state processor of resources."""
    _write(invocation, folder, *processor_file(name))


def _write(invocation: Invocation, folder: Path, name: str, content: str) -> None:
    path = folder / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(content)
    except FileExistsError:
        raise Guarded(f"{path} is there already; nothing was written") from None
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror or error}") from error
    if invocation.json:
        print_json({"created": [str(path)]})
    else:
        click.echo(f"created {path}")
