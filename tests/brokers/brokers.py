"""The brokers of one test run: each chosen and started at its first use, shared by all processes of the run.

A broker named by the environment comes first, then what is installed, then what can be installed, then Docker.
"""

from __future__ import annotations

import dataclasses
import importlib
import json
import os
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

import pytest

from tests.brokers import guard
from tests.brokers.place import Place
from tests.brokers.unavailable import Unavailable

KINDS = {
    "rabbitmq": "RabbitMQ",
    "postgres": "Postgres",
    "kafka": "Kafka",
    "sqs": "Sqs",
    "pubsub": "Pubsub",
    "mongo": "Mongo",
}
"""Name of the module and of the fixture → class of the address that tests share."""


class Brokers:
    """Gives brokers to tests.

    Args:
        owner: process id of the run; what was started ends with it.
        folder: the run's folder, when another process has made it.
    """

    def __init__(self, owner: int, folder: Path | None = None) -> None:
        self._owner = owner
        self._place = Place(folder) if folder else None
        self._makes_place = folder is None
        self._known: dict[str, Any] = {}
        self._started: list[Any] = []
        self._private = 0

    @property
    def place(self) -> Place:
        """The run's folder, made at first use."""
        if self._place is None:
            self._place = Place.make()
        return self._place

    def shared(self, kind: str) -> Any:
        """The broker that all tests of the run share; skips the test where there is none, in CI it fails."""
        if kind not in self._known:
            with self.place.locked(kind):
                self._known[kind] = self._chosen(kind)
        found = self._known[kind]
        if isinstance(found, str):
            _missing(found)
        return found

    def private(self, kind: str, **options: Any) -> Any:
        """A broker for one module of tests, started, which may restart, kill and reconfigure it."""
        self._private += 1
        name = f"{kind}-{os.getpid()}-{self._private}"
        try:
            with self.place.locked(kind):
                own = self._start(kind, name, **options)
        except Unavailable as error:
            self._note(kind, {"missing": str(error)})
            _missing(str(error))
        self._note(kind, {"private": own.how}, name)
        return own

    def prepare(self, kinds: set[str]) -> None:
        """Install what these will need, outside the time limit of any test."""
        for kind in sorted(kinds):
            module = _module(kind)
            if os.environ.get(module.VARIABLE):
                continue
            with self.place.locked(kind):
                try:
                    module.prepare()
                except Unavailable:
                    pass  # said again, with its test, at first use

    def lines(self) -> list[str]:
        """What was used or why it was not, a line each."""
        if self._place is None:
            return []
        notes = sorted(self._place.folder.glob("*.note"))
        read = [(path.name.split(".")[0].split("-")[0], json.loads(path.read_text())) for path in notes]
        lines = []
        for kind in KINDS:
            mine = [note for name, note in read if name == kind]
            lines += [f"{kind}: {note['how']}" for note in mine if "how" in note]
            own = [note["private"] for note in mine if "private" in note]
            if own:
                lines.append(f"{kind}, for one module alone: {len(own)} × {own[0].rpartition(' on ')[0]}")
            lines += [f"{kind}: skipped: {note['missing']}" for note in mine if "missing" in note]
        return lines

    def close(self) -> None:
        """End what this run has started, if it is this process that owns it."""
        for own in self._started:
            own.server.abandon()
        if self._makes_place and self._place is not None:
            self._place.sweep()

    def _chosen(self, kind: str) -> Any:
        """What another process of the run has chosen, else this one's choice; a text says why there is none."""
        module = _module(kind)
        path = self.place.folder / f"{kind}.note"
        if path.exists():
            note = json.loads(path.read_text())
            return note["missing"] if "missing" in note else getattr(module, KINDS[kind])(**note)
        try:
            found = module.named() or self._start(kind, kind)
        except Unavailable as error:
            self._note(kind, {"missing": str(error)})
            return str(error)
        names = [field.name for field in dataclasses.fields(found)]
        self._note(kind, {name: getattr(found, name) for name in names})
        return found

    def _start(self, kind: str, name: str, **options: Any) -> Any:
        folder = self.place.folder / name
        folder.mkdir()
        folder.chmod(0o755)
        guard.start(self._owner, self.place)
        own = _module(kind).own(self.place, folder, **options)
        self._started.append(own)
        try:
            own.start()
        except AssertionError as error:
            # it is installed, and does not run: that is never a reason to skip
            pytest.fail(f"{kind} could not be started: {error}\n{own.server.describe()}", pytrace=False)
        return own

    def _note(self, kind: str, content: dict[str, Any], name: str = "") -> None:
        (self.place.folder / f"{name or kind}.note").write_text(json.dumps(content))


def _module(kind: str) -> ModuleType:
    return importlib.import_module(f"tests.brokers.{kind}")


def _missing(reason: str) -> NoReturn:
    if os.environ.get("CI", "").lower() in {"1", "true", "yes"}:
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
