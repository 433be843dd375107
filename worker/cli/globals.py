"""The options that every command takes, before or after its name."""

from __future__ import annotations

from typing import Any

import click
from click.core import ParameterSource

from worker.cli.invocation import Invocation


def _note(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    """Keep what was said; the place nearest to the command's end wins, and a flag over the environment."""
    invocation = context.find_object(Invocation)
    if invocation is None or parameter.name is None:
        return
    source = context.get_parameter_source(parameter.name)
    from_environment = source is ParameterSource.ENVIRONMENT and context.parent is None
    if source is ParameterSource.COMMANDLINE or from_environment:
        setattr(invocation, parameter.name, value)


def _option(*names: str, **arguments: Any) -> click.Option:
    return click.Option(names, expose_value=False, is_eager=True, callback=_note, **arguments)


GLOBAL_OPTIONS: tuple[click.Option, ...] = (
    _option("-A", "--app", metavar="MODULE:ATTRIBUTE", help="The application. [env: WORKER_APP]"),
    _option(
        "--config",
        metavar="FILE",
        help="The configuration file. [env: WORKER_CONFIG]  [default: ./worker.toml]",
    ),
    _option(
        "-l",
        "--log-level",
        type=click.Choice(["debug", "info", "warning", "error", "critical"], case_sensitive=False),
        envvar="WORKER_LOG_LEVEL",
        help="What is logged, to stderr. [env: WORKER_LOG_LEVEL]  [default: info]",
    ),
    _option(
        "--log-format",
        type=click.Choice(["auto", "text", "json"]),
        envvar="WORKER_LOG_FORMAT",
        help="auto: text on a terminal, JSON elsewhere. [env: WORKER_LOG_FORMAT]  [default: auto]",
    ),
    _option("--json", is_flag=True, help="Print JSON instead of text."),
    _option("--yes", is_flag=True, help="Do not ask before something is destroyed."),
)


class TakesGlobalOptions(click.Command):
    """A command or group that takes the global options, and shows examples on its help page."""

    def __init__(self, *args: Any, examples: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.examples = examples

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Own parameters, then the global options."""
        return [*super().get_params(ctx), *GLOBAL_OPTIONS]

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, the global ones in a section of their own."""
        options = [parameter for parameter in super().get_params(ctx) if isinstance(parameter, click.Option)]
        own = [record for option in options if (record := option.get_help_record(ctx))]
        shared = [record for option in GLOBAL_OPTIONS if (record := option.get_help_record(ctx))]
        with formatter.section("Options"):
            formatter.write_dl(own)
        if isinstance(self, click.Group):
            self.format_commands(ctx, formatter)
        with formatter.section("Global options"):
            formatter.write_dl(shared)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples, line for line."""
        super().format_epilog(ctx, formatter)
        if self.examples:
            with formatter.section("Examples"):
                for line in self.examples.strip().splitlines():
                    formatter.write(f"{'':{formatter.current_indent}}{line}\n" if line else "\n")


class WorkerCommand(TakesGlobalOptions):
    """A command of ``worker``. What it returns is the exit code, None for 0."""
