"""How servers in Java are started: they live for minutes and have little to do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


def java(
    libraries: Path, main: str, *arguments: str, memory: str = "384m", more: Sequence[str] = ()
) -> list[str]:
    """The words that start a program, from a folder of libraries or from one of them.

    A quick compiler and a collector without threads of its own halve the processor time of a start.
    """
    path = f"{libraries}/*" if libraries.is_dir() else str(libraries)
    quick = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]
    return ["java", f"-Xmx{memory}", *quick, *more, "-cp", path, main, *arguments]
