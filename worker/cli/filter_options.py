"""The filters of failed messages on the command line."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from worker.cli.once import Once
from worker.errors import UsageError
from worker.failed.filters import parse_filter
from worker.messaging.failure import Filter

F = TypeVar("F", bound=Callable[..., Any])

_OPTIONS = (
    click.option("--type", cls=Once, metavar="TYPE", help="Of this message type."),
    click.option("--transport", cls=Once, metavar="NAME", help="Taken from this transport."),
    click.option("--queue", cls=Once, metavar="QUEUE", help="Taken from this queue."),
    click.option("--error", cls=Once, metavar="NAME", help="Failed with this type of error."),
    click.option("--group", cls=Once, metavar="KEY", help="In this group; see worker failed groups."),
    click.option(
        "--since", cls=Once, metavar="TIME", help="Failed then or later: 2026-01-31T12:00:00Z, or 2h, 7d ago."
    ),
    click.option("--until", cls=Once, metavar="TIME", help="Failed before then."),
)


def filter_options(command: F) -> F:
    """Options that choose failed messages."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def filter_of(values: Mapping[str, str | None]) -> Filter:
    """Make the filter that was asked for.

    Raises:
        InvalidMessage: with every value that does not fit.
    """
    return parse_filter({name: value for name, value in values.items() if value is not None}, time.time())


def chosen_of(ids: tuple[str, ...], values: Mapping[str, str | None], *, everything: bool) -> Filter | None:
    """Make the filter of what is to be changed; None when ids were given.

    Raises:
        UsageError: neither ids nor a filter nor --all, or more than one of them.
    """
    filtered = any(value is not None for value in values.values())
    ways = sum((bool(ids), filtered, everything))
    if ways == 0:
        raise UsageError("expected the IDs of failed messages, a filter, or --all")
    if ways > 1:
        raise UsageError("expected one of: the IDs of failed messages, a filter, --all")
    return None if ids else filter_of(values)
