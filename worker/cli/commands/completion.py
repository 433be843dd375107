"""``worker completion``: the script that completes commands and options in a shell."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from worker.cli.globals import WorkerCommand


@click.command(
    cls=WorkerCommand,
    examples="""
eval "$(worker completion bash)"               in ~/.bashrc
eval "$(worker completion zsh)"                in ~/.zshrc
worker completion fish > ~/.config/fish/completions/worker.fish
""",
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the script that completes commands and options in SHELL."""
    found = get_completion_class(shell)
    assert found is not None  # the choices are those that click has
    click.echo(found(context.find_root().command, {}, "worker", "_WORKER_COMPLETE").source())
