"""A folder with a ``worker.toml``: everything that a user has, and what a test looks at."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from tests.e2e.processes import Process, environment, free_port
from tests.e2e.waiting import PATIENCE, until
from tests.warm.interpreter import Interpreter, interpreter
from transports.registry import create
from worker.messaging.transport import OutcomeKind, Outgoing

TOML = """\
app = "{app}"

[database]
url = "sqlite:///var/worker.db"

[transports.sqlite]
url = "sqlite:///var/queue.db"
{transport}

[routing]
"*" = "sqlite"
{more}
"""


class Project:
    """Runs the worker in one folder.

    Attributes:
        warm: whether workers and intakes may be forked from a process that has imported the worker; not where a test is
            about how a process begins, or about what it forks itself. Supervisors always begin anew, short commands
            never do but in an environment of their own for Python.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.warm = True
        self.processes: list[Process] = []
        self.intakes: list[Intake] = []
        self.database = folder / "var" / "worker.db"
        self.queue_file = folder / "var" / "queue.db"

    def configure(self, app: str = "tests.e2e.app:app", transport: str = "lease = 2", more: str = "") -> None:
        """Write ``worker.toml``."""
        text = TOML.format(app=app, transport=transport, more=more)
        (self.folder / "worker.toml").write_text(text)

    # --- processes ---------------------------------------------------------------------------------------------

    def start(self, *arguments: str, extra: Mapping[str, str] | None = None) -> Process:
        """Start ``worker`` with these arguments."""
        log = self.folder / f"process-{len(self.processes) + 1}.log"
        words = [*arguments, "--log-format", "json"]
        process = Process(words, self.folder, log, extra, _warm(arguments, extra) if self.warm else None)
        self.processes.append(process)
        return process

    def consume(self, *arguments: str, extra: Mapping[str, str] | None = None) -> Process:
        """Start a worker and wait until it takes messages."""
        process = self.start("consume", *arguments, extra=extra)
        process.until_logged("worker started")
        return process

    def consume_all(
        self, count: int, *arguments: str, extra: Mapping[str, str] | None = None
    ) -> list[Process]:
        """Start so many workers at once and wait until each takes messages."""
        made = [self.start("consume", *arguments, extra=extra) for _ in range(count)]
        for process in made:
            process.until_logged("worker started")
        return made

    def serve(self, *arguments: str, port: int | None = None, verb: str = "serve") -> Intake:
        """Start an intake on a free port and wait until it is ready."""
        port = port or free_port()
        process = self.start(verb, "--port", str(port), *arguments)
        intake = Intake(process, f"http://127.0.0.1:{port}", port)
        self.intakes.append(intake)

        def ready() -> bool:
            assert process.running, f"the intake ended\n{process.log[-4000:]}"
            return intake.client.get("/readyz").status_code == 200

        until(ready, "the intake is ready")
        return intake

    def cli(
        self,
        *arguments: str,
        timeout: float = PATIENCE,
        stdin: str | None = None,
        extra: Mapping[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run a short command to its end."""
        warm = _warm(arguments, extra)
        if warm is not None:
            return warm.run(arguments, self.folder, environment(extra), stdin or "", timeout)
        return subprocess.run(
            [sys.executable, "-m", "worker", *arguments],
            cwd=self.folder,
            env=environment(extra),
            input=stdin or "",
            capture_output=True,
            text=True,
            timeout=timeout,
        )

    def ok(self, *arguments: str, **options: Any) -> str:
        """Run a short command that must exit with 0; return what it printed."""
        done = self.cli(*arguments, **options)
        assert done.returncode == 0, f"{arguments}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def json(self, *arguments: str, **options: Any) -> Any:
        """Run a short command with ``--json``; return its document."""
        return json.loads(self.ok(*arguments, "--json", **options))

    def send(self, type_name: str, *fields: str, **data: Any) -> str:
        """Send a command by the command line; return its id."""
        return self.ok("send", type_name, *([json.dumps(data)] if data else []), *fields).strip()

    def send_many(self, *lines: tuple[str, dict[str, Any]]) -> list[str]:
        """Send commands in one batch, in order; return their ids."""
        text = "".join(json.dumps({"type": kind, "data": data}) + "\n" for kind, data in lines)
        return self.ok("send", "--ndjson", "-", stdin=text).split()

    def publish(self, queue: str, body: bytes, message_id: str) -> None:
        """Put bytes on a queue as another program would."""

        async def work() -> None:
            transport = create(
                "sqlite", f"sqlite:///{self.queue_file.relative_to(self.folder)}", {}, base=self.folder
            )
            await transport.connect()
            try:
                message = Outgoing(queue=queue, id=message_id, type="?", body=body)
                (outcome,) = await transport.publish([message])
                assert outcome.kind is OutcomeKind.ACCEPTED, outcome
            finally:
                await transport.close()

        asyncio.run(work())

    # --- what is there -----------------------------------------------------------------------------------------

    def rows(self, statement: str, *values: Any, file: Path | None = None) -> list[tuple[Any, ...]]:
        """Read from the state database, or from another file; nothing where the file or table is missing yet."""
        path = file or self.database
        if not path.exists():
            return []
        connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=10)
        try:
            return connection.execute(statement, values).fetchall()
        except sqlite3.OperationalError as error:
            if "no such table" in str(error):
                return []
            raise
        finally:
            connection.close()

    def waiting(self) -> int:
        """Messages on all queues, in hand or not."""
        return int(
            (self.rows("SELECT count(*) FROM transport_messages", file=self.queue_file) or [(0,)])[0][0]
        )

    def until_empty(self, timeout: float = PATIENCE) -> None:
        """Wait until no message is on any queue and the outbox is sent."""
        until(
            lambda: self.waiting() == 0 and self.outbox() == 0,
            "all queues and the outbox are empty",
            timeout,
            0.05,
        )

    def outbox(self) -> int:
        """Rows of the outbox."""
        return int((self.rows("SELECT count(*) FROM worker_outbox") or [(0,)])[0][0])

    def marks(self, kind: str) -> list[str]:
        """Names of the marks that handlers have left, sorted."""
        folder = self.folder / "marks" / kind
        return sorted(path.name for path in folder.iterdir()) if folder.exists() else []

    def mark(self, kind: str, name: str) -> None:
        """Leave a mark for handlers to find."""
        folder = self.folder / "marks" / kind
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()

    def lines(self, name: str) -> list[str]:
        """Lines that handlers have written to a file."""
        path = self.folder / name
        return path.read_text().splitlines() if path.exists() else []

    def close(self) -> None:
        """End whatever still runs."""
        for intake in self.intakes:
            intake.client.close()
        for process in self.processes:
            process.destroy()


class Intake:
    """A running intake and a client for it."""

    def __init__(self, process: Process, url: str, port: int) -> None:
        self.process = process
        self.port = port
        self.client = httpx.Client(base_url=url, timeout=75.0)

    def post(self, type_name: str, *, key: str | None = None, **data: Any) -> httpx.Response:
        """Post a command."""
        headers = {"Idempotency-Key": key} if key else {}
        return self.client.post(f"/commands/{type_name}", json=data, headers=headers)

    def accepted(self, type_name: str, **data: Any) -> str:
        """Post a command that must be accepted; return its id."""
        answer = self.post(type_name, **data)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    def status(self, command_id: str, wait: float = 0) -> dict[str, Any]:
        """Where a command stands."""
        headers = {"Prefer": f"wait={wait:g}"} if wait else {}
        answer = self.client.get(f"/commands/{command_id}", headers=headers, timeout=wait + 60.0)
        assert answer.status_code == 200, answer.text
        document: dict[str, Any] = answer.json()
        return document


def _warm(arguments: tuple[str, ...], extra: Mapping[str, str] | None) -> Interpreter | None:
    """What to fork a process from that begins with this; None where it must begin by itself."""
    begins = "-w" in arguments or any(name.startswith(("PYTHON", "LC_", "LANG")) for name in extra or ())
    return None if begins else interpreter()
