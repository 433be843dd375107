"""Servers whose libraries are published for Maven: fetched once a machine, and kept for the next run."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.brokers import docker
from tests.brokers.java import kept
from tests.brokers.unavailable import Unavailable

_POM = """\
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>tests</groupId><artifactId>server</artifactId><version>1</version>
  <dependencies>
{dependencies}
  </dependencies>
</project>
"""
_DEPENDENCY = (
    "    <dependency><groupId>{}</groupId><artifactId>{}</artifactId><version>{}</version></dependency>"
)


@dataclass(frozen=True)
class Libraries:
    """What one server is started from.

    Attributes:
        title: of the server, in errors.
        name: of the folder in which they are kept.
        pattern: of a file that is there when all are.
        home: the variable of the environment that names a folder of the user's own.
        inside: where in that folder they are.
        artifacts: ``group:artifact:version`` of each.
    """

    title: str
    name: str
    pattern: str
    home: str
    artifacts: tuple[str, ...]
    inside: str = "."

    def prepare(self, image: str, otherwise: str) -> None:
        """Fetch what is missing: the libraries, or where there is no way to them the image.

        Raises:
            Unavailable: when there is no way to either; says ``otherwise``.
        """
        if self.find():
            return
        if self.can_be_fetched():
            self.fetch()
        elif docker.answers():
            docker.pull(image)
        else:
            raise Unavailable(otherwise)

    def find(self) -> Path | None:
        """The folder of the libraries, when it is here and Java to run them."""
        home = os.environ.get(self.home)
        for folder in (Path(home) / self.inside if home else None, self._kept()):
            if folder and any(folder.glob(self.pattern)) and shutil.which("java"):
                return folder
        return None

    @staticmethod
    def can_be_fetched() -> bool:
        """Whether there is Maven; ``WORKER_TEST_INSTALL=no`` forbids it."""
        tools = shutil.which("java") and shutil.which("mvn")
        return bool(tools) and os.environ.get("WORKER_TEST_INSTALL", "yes") != "no"

    def fetch(self) -> None:
        """Copy the server and what it needs from the repository that Maven is set up for.

        Raises:
            Unavailable: when Maven fails.
        """
        folder = self._kept()
        folder.parent.mkdir(parents=True, exist_ok=True)
        with folder.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if self.find():
                return
            draft = folder.with_suffix(".draft")
            shutil.rmtree(draft, ignore_errors=True)
            draft.mkdir()
            dependencies = "\n".join(_DEPENDENCY.format(*artifact.split(":")) for artifact in self.artifacts)
            (draft / "pom.xml").write_text(_POM.format(dependencies=dependencies))
            copy = ["mvn", "-q", "-B", "-f", str(draft / "pom.xml"), "dependency:copy-dependencies"]
            self.run([*copy, f"-DoutputDirectory={draft}", "-DincludeScope=runtime"])
            shutil.rmtree(folder, ignore_errors=True)
            draft.rename(folder)

    def run(self, command: list[str]) -> str:
        """Run a program to its end; give what it printed.

        Raises:
            Unavailable: when it fails; says its last line.
        """
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600)
        if done.returncode:
            last = ((done.stdout + done.stderr).strip().splitlines() or ["no output"])[-1]
            raise Unavailable(f"{self.title}: {command[0]} failed: {last}")
        return done.stdout

    def _kept(self) -> Path:
        return kept() / self.name
