"""PostgreSQL for tests: named by the environment, installed here, or in a container."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from tests.brokers import docker, owned, packages, ports
from tests.brokers.daemon import Daemon
from tests.brokers.place import Place, born
from tests.brokers.unavailable import Unavailable
from tests.e2e.waiting import until, until_stopped

VARIABLE = "WORKER_TEST_POSTGRES"
IMAGE = "postgres:17.6"
HELP = (
    "PostgreSQL: install it (Debian: apt install postgresql; macOS: brew install postgresql), start Docker, or "
    f"name one whose user may create databases: {VARIABLE}=postgresql://postgres@localhost:5432/postgres"
)


@dataclass(eq=False)
class Postgres:
    """A server that tests share. Each test takes a database of its own: ``with postgres.fresh() as url``.

    Attributes:
        url: the database from which others are created.
        how: where it came from, in a few words.
    """

    url: str
    how: str

    @contextlib.contextmanager
    def fresh(self, like: str | None = None) -> Iterator[str]:
        """An empty database, dropped afterwards with the connections that are still open; gives its URL.

        ``like``: URL of one to which no client is connected; then it has what that one has.
        """
        name = f"test_{uuid.uuid4().hex[:12]}"
        template = f" TEMPLATE {urlsplit(like).path[1:]}" if like else ""
        # copied as files: page by page, through the log, it takes twice the processor time
        self.execute(f"CREATE DATABASE {name}{template}", since_15=" STRATEGY FILE_COPY")
        try:
            yield urlunsplit(urlsplit(self.url)._replace(path=f"/{name}"))
        finally:
            self.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def execute(self, statement: str, *, since_15: str = "") -> None:
        """Run one statement outside a transaction; ``since_15`` ends it where the server is PostgreSQL 15 or later."""

        async def work() -> None:
            connection = await asyncpg.connect(self.url, timeout=10)
            ending = since_15 if connection.get_server_version().major >= 15 else ""
            try:
                await connection.execute(statement + ending, timeout=60)
            finally:
                await connection.close(timeout=10)

        _in_thread(work())


def named() -> Postgres | None:
    """The one that the environment names.

    Raises:
        Unavailable: when it does not answer.
    """
    url = os.environ.get(VARIABLE)
    if not url:
        return None
    parts = urlsplit(url)
    where = f"{parts.hostname}:{parts.port or 5432}"
    found = Postgres(url, f"{VARIABLE}, on {where}")
    try:
        found.execute("SELECT 1")
    except Exception as error:
        raise Unavailable(
            f"PostgreSQL: {VARIABLE} is set, but {where} does not answer ({type(error).__name__})"
        ) from None
    return found


def programs() -> Path | None:
    """The folder of ``initdb`` and ``postgres``; Debian keeps it out of the path, one for each version."""
    candidates = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_version, reverse=True)
    found = shutil.which("postgres")
    if found:
        candidates.append(Path(found).resolve().parent)
    return next((folder for folder in candidates if (folder / "initdb").exists()), None)


def prepare() -> None:
    """Install what is missing.

    Raises:
        Unavailable: when there is no way to a server.
    """
    if programs():
        return
    if packages.may_install():
        packages.install("postgresql")
    elif docker.answers():
        docker.pull(IMAGE)
    else:
        raise Unavailable(HELP)


class OwnPostgres(owned.Owned, Postgres):
    """A server of this run; data that was committed survives ``kill``."""

    title = "PostgreSQL"

    def answers(self) -> bool:
        self.execute("SELECT 1")
        return True


class InstalledPostgres(OwnPostgres):
    """The machine's own programs on a folder of their own, under the user ``postgres`` where this one is root."""

    def __init__(self, place: Place, folder: Path) -> None:
        scripts = programs()
        assert scripts is not None, "prepare() was not called"
        port = ports.choose()
        super().__init__(
            url=f"postgresql://postgres@{ports.HOST}:{port}/postgres",
            how=f"started {scripts / 'postgres'} on {ports.HOST}:{port}",
        )
        data = folder / "data"
        data.mkdir(mode=0o700)
        user = _as_other_user(data)
        command = [*user, str(scripts / "initdb"), "-D", str(data), "-U", "postgres"]
        made = subprocess.run(
            [*command, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N"],
            cwd=data,
            capture_output=True,
            text=True,
            timeout=120,
        )
        if made.returncode:
            raise Unavailable(f"PostgreSQL: initdb failed: {made.stderr.strip()}")
        command = [
            *user,
            str(scripts / "postgres"),
            "-D",
            str(data),
            "-h",
            ports.HOST,
            "-p",
            str(port),
            "-k",
            "",
        ]
        for setting in _SETTINGS:
            command += ["-c", setting]
        # INT is what PostgreSQL calls a fast stop; TERM would wait for its clients
        self.server = Daemon(place, command, folder=folder, port=port, stop_signal=signal.SIGINT)

    def kill(self) -> None:
        """``kill -9``, and wait for what it started: a session each, which ends a moment later with the memory they share."""
        started = self._started()
        super().kill()
        _until_gone(started)

    def quit(self) -> None:
        """Do what ``pg_ctl stop -m immediate`` does: nothing is flushed, no client is told."""
        started = self._started()
        self.server.signal(signal.SIGQUIT)
        self.server.signal(signal.SIGCONT)
        super().kill()
        _until_gone(started)

    def _started(self) -> list[int]:
        """What it has started. It is held up from here on, so that it starts no other before it ends."""
        self.server.signal(signal.SIGSTOP)
        until_stopped(self.server.pid)
        return _children(self.server.pid)

    def end(self) -> None:
        self.server.stop()  # killed, it would leave its shared memory to the system


class ContainedPostgres(OwnPostgres):
    """The official image."""

    def __init__(self, place: Place, folder: Path) -> None:
        port = ports.choose()
        super().__init__(
            url=f"postgresql://postgres:postgres@{ports.HOST}:{port}/postgres",
            how=f"Docker: {IMAGE} on {ports.HOST}:{port}",
        )
        self.server = docker.Container(
            place,
            IMAGE,
            published={port: 5432},
            environment={"POSTGRES_PASSWORD": "postgres"},
            arguments=["postgres", *(word for setting in _SETTINGS for word in ("-c", setting))],
        )


def own(place: Place, folder: Path) -> OwnPostgres:
    """A server of this run, not started yet.

    Raises:
        Unavailable: when there is no way to one.
    """
    prepare()
    return InstalledPostgres(place, folder) if programs() else ContainedPostgres(place, folder)


# Without fsync what was committed still survives the death of the process, not that of the machine.
_SETTINGS = ("fsync=off", "max_connections=200", "shared_buffers=64MB")


def _as_other_user(data: Path) -> list[str]:
    """PostgreSQL refuses to run as root: the words that change the user, to whom the folder is given."""
    if os.geteuid() != 0:
        return []
    import pwd

    try:
        user = pwd.getpwnam("postgres")
    except KeyError:
        user = pwd.getpwnam("nobody")
    os.chown(data, user.pw_uid, user.pw_gid)
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]


def _version(folder: Path) -> float:
    try:
        return float(folder.parent.name)
    except ValueError:
        return 0.0


def _in_thread(work: object) -> None:
    """Run a coroutine to its end, whether or not this thread runs a loop."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            asyncio.run(work)  # type: ignore[arg-type]
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=run, name="postgres")
    thread.start()
    thread.join()
    if raised:
        raise raised[0]


def _until_gone(pids: list[int]) -> None:
    until(lambda: not any(born(pid) for pid in pids), "PostgreSQL's processes are gone", 30.0, 0.05)


def _children(pid: int) -> list[int]:
    """Processes that a process has started; none where the system does not tell."""
    try:
        return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
