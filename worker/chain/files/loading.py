"""Loading the files that declare steps; every fault has its file and line."""

from __future__ import annotations

import stat
from collections.abc import Iterable
from pathlib import Path

from worker.chain.declared import StepEntry
from worker.chain.files.classes import class_named
from worker.chain.files.dialect import Unreadable, read
from worker.chain.files.services import At, Said, services_in

LARGEST = 262_144
"""Bytes of one file; those that people write have a tenth of it."""


def load_steps(files: Iterable[str], base: Path) -> tuple[list[StepEntry], list[str]]:
    """Read steps from files.

    Args:
        files: as configured; relative ones are from ``base``.
        base: a folder.

    Returns:
        The steps, in order, and everything that is wrong.
    """
    entries: list[StepEntry] = []
    faults: list[str] = []
    first: dict[str, str] = {}
    classes: dict[str, type | None] = {}
    for file in dict.fromkeys(files):
        for said in _said_in(base / file, file, faults):
            if isinstance(said, At):
                faults.append(f"{file}:{said.line}: {said.what}")
                continue
            where = f"{file}:{said.line}"
            if first.setdefault(said.service, file) != file:
                faults.append(
                    f"{where}: service {said.service!r} stands in {first[said.service]} already; expected one of them"
                )
            if said.cls not in classes:
                classes[said.cls] = _class(said, file, faults)
            entries.append(_entry(said, classes[said.cls] or _Unknown, where))
    return entries, faults


def _entry(said: Said, cls: type, where: str) -> StepEntry:
    return StepEntry(
        target=cls,
        action=said.action,
        group=said.group,
        priority=said.priority,
        when=said.when,
        name=said.service,
        source=where,
    )


class _Unknown:
    """Stands for a class that is not there: all else that is wrong with its steps is told, too."""

    def process(self, context: object) -> None:
        """Never run: there is a fault."""


def _class(said: Said, file: str, faults: list[str]) -> type | None:
    try:
        return class_named(said.cls)
    except ValueError as error:
        faults.append(f"{file}:{said.cls_line}: service {said.service!r}: {error}")
        return None


def _said_in(path: Path, file: str, faults: list[str]) -> list[Said | At]:
    """Read one file; what cannot be read joins ``faults``."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            faults.append(f"{file}: is no file; expected a YAML file ([chains] files)")
            return []
        with path.open("rb") as opened:
            source = opened.read(LARGEST + 1)
    except OSError as error:
        faults.append(
            f"{file}: cannot be read: {error.strerror}; expected a YAML file in {path.parent} ([chains] files)"
        )
        return []
    if len(source) > LARGEST:
        faults.append(f"{file}: has more than {LARGEST} bytes; split it")
        return []
    wrong: list[Unreadable] = []
    said: list[Said | At] = []
    try:
        said = list(services_in(read(source, wrong)))
    except Unreadable as error:
        wrong.append(error)
    faults += [f"{file}{'' if error.line is None else f':{error.line}'}: {error}" for error in wrong]
    return said
