"""How servers in Java are started: they live for minutes and have little to do.

The first start of each on a machine leaves an archive of its classes, ready to run; with it a start takes half the
processor time. The machine's Java looks itself whether an archive fits, and goes on without where it does not.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
from collections.abc import Sequence
from pathlib import Path

from tests.brokers.daemon import Daemon
from tests.brokers.place import Place


def kept() -> Path:
    """The folder of what is kept for the next run."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "command-worker"


class Java(Daemon):
    """A server in Java.

    Args:
        libraries: a folder of them, or one.
        main: the class that is run.
        memory: the most that its objects may take.
        more: further words for Java itself.
    """

    def __init__(
        self,
        place: Place,
        libraries: Path,
        main: str,
        *arguments: str,
        folder: Path,
        port: int,
        memory: str = "384m",
        more: Sequence[str] = (),
        stop_signal: int = signal.SIGTERM,
    ) -> None:
        self._archive, self._usual_signal = archive(libraries, main), stop_signal
        self._draft = folder / "classes.jsa"
        command = java(libraries, main, *arguments, memory=memory, more=more)
        super().__init__(place, command, folder=folder, port=port, stop_signal=stop_signal)

    @property
    def learns(self) -> bool:
        """Whether the next start is the first of its kind."""
        return not self._archive.exists()

    def start_to_learn(self) -> None:
        """Start it; what it loads until ``learned`` is archived."""
        usual, self._command = self._command, [*self._command]
        self._command[1:1] = [f"-XX:ArchiveClassesAtExit={self._draft}"]
        self._stop_signal = signal.SIGTERM
        try:
            self.start()
        finally:
            self._command = usual

    def learned(self) -> None:
        """Stop it, which writes the archive; an empty one says that this Java writes none."""
        self.stop(120)
        self._stop_signal = self._usual_signal
        self._archive.parent.mkdir(parents=True, exist_ok=True)
        self._draft.touch()
        draft = self._archive.with_suffix(f".{os.getpid()}")
        shutil.move(self._draft, draft)
        draft.rename(self._archive)
        self._command[1:1] = _archived(self._archive)


def java(
    libraries: Path,
    main: str,
    *arguments: str,
    memory: str = "384m",
    more: Sequence[str] = (),
    like: str = "",
) -> list[str]:
    """The words that start a program, from a folder of libraries or from one of them.

    A quick compiler and a collector without threads of its own halve the processor time of a start.

    ``like``: the main class of another program, whose archive has the classes of this one, too.
    """
    quick = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", *_archived(archive(libraries, like or main))]
    return ["java", f"-Xmx{memory}", *quick, *more, "-cp", _path(libraries), main, *arguments]


def archive(libraries: Path, main: str) -> Path:
    """Where the classes of a program are kept, for this Java and these libraries."""
    program = Path(shutil.which("java") or "java").resolve()
    born = program.stat().st_mtime_ns if program.exists() else 0
    told = hashlib.sha256(f"{program} {born} {_path(libraries)} {main}".encode()).hexdigest()
    return kept() / f"{main}-{told[:12]}.jsa"


def _archived(archive: Path) -> list[str]:
    return [f"-XX:SharedArchiveFile={archive}"] if archive.exists() and archive.stat().st_size else []


def _path(libraries: Path) -> str:
    return f"{libraries}/*" if libraries.is_dir() else str(libraries)
