"""What commands print: JSON documents, tables, sections. Plain aligned text unless stdout is a terminal."""

from __future__ import annotations

import json
import math
import re
import shutil
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import click
import msgspec

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")


def print_json(document: Any) -> None:
    """Print a document: indented on a terminal, one line elsewhere."""
    value = msgspec.to_builtins(document, enc_hook=str)
    click.echo(json.dumps(_finite(value), ensure_ascii=False, indent=2 if sys.stdout.isatty() else None))


def _finite(value: Any) -> Any:
    """JSON has no infinity: what has no limit is null."""
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def cell(value: Any) -> str:
    """Text of a value in a table: unknown is ``-``, times are in UTC, and no control character reaches the terminal."""
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, list | tuple):
        return ", ".join(map(cell, value)) or "-"
    return _CONTROL.sub(" ", str(value)).strip() or "-"


def print_table(headers: Sequence[str], rows: Iterable[Sequence[Any]], *, empty: str = "nothing") -> None:
    """Print a table; numbers stand right."""
    table = [list(row) for row in rows]
    if not table:
        click.echo(empty)
        return
    right = [
        all(isinstance(row[column], int | float) or row[column] is None for row in table)
        for column in range(len(headers))
    ]
    texts = [[cell(value) for value in row] for row in table]
    if sys.stdout.isatty() and _width(headers, texts) <= shutil.get_terminal_size().columns:
        _print_rich(headers, texts, right)
    else:  # what is too wide stays in one piece: ids can be copied
        _print_plain(headers, texts, right)


def print_pairs(pairs: Iterable[tuple[str, Any]]) -> None:
    """Print names and values in two columns."""
    rows = list(pairs)
    width = max((len(name) for name, _ in rows), default=0)
    for name, value in rows:
        click.echo(f"{name:<{width}}  {cell(value)}")


def print_heading(text: str) -> None:
    """Print the heading of a section, with an empty line before it."""
    click.echo(f"\n{click.style(text, bold=True)}")


def _width(headers: Sequence[str], rows: list[list[str]]) -> int:
    longest = [max(map(len, column)) for column in zip(headers, *rows, strict=True)]
    return sum(longest) + 2 * len(longest)


def _print_plain(headers: Sequence[str], rows: list[list[str]], right: list[bool]) -> None:
    lines = [[header.upper() for header in headers], *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(headers))]
    for line in lines:
        cells = [
            text.rjust(width) if aligned else text.ljust(width)
            for text, width, aligned in zip(line, widths, right, strict=True)
        ]
        click.echo("  ".join(cells).rstrip())


def _print_rich(headers: Sequence[str], rows: list[list[str]], right: list[bool]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, header_style="bold", pad_edge=False)
    for header, aligned in zip(headers, right, strict=True):
        table.add_column(header, justify="right" if aligned else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(text) for text in row))  # Text: brackets in data are no markup
    Console().print(table)
