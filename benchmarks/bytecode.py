"""Compiles what is measured, as an installer does: no start is to pay for compiling a source tree."""

from __future__ import annotations

import compileall
from pathlib import Path

_ROOT = Path(__file__).parents[1]


def write() -> None:
    """Write the byte code of the product and of the benchmarks' programs beside their sources, where it is missing."""
    for package in ("worker", "transports", "benchmarks"):
        compileall.compile_dir(_ROOT / package, quiet=2)
