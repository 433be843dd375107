"""Facts about the machine, without which no figure means anything."""

from __future__ import annotations

import os
import platform
import sqlite3
from importlib.metadata import version

from benchmarks.bare_queue import SYNCHRONOUS


def facts() -> dict[str, str]:
    """Tell what the figures were measured on."""
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    return {
        "cores": str(os.cpu_count()),
        "load average": load,
        "python": platform.python_version(),
        "sqlite": f"{sqlite3.sqlite_version}, WAL, synchronous {SYNCHRONOUS} on both sides",
        "uvloop": version("uvloop"),
        "system": f"{platform.system()} {platform.release()}",
    }
