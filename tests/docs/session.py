"""Does what a page tells its reader to do: in a folder of its own, with real processes, on free ports."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from tests.brokers import ports
from tests.docs.commands import STOP, Command, commands
from tests.docs.matching import Ids
from tests.docs.pages import ROOT, Block
from tests.warm.interpreter import ASK, Started, interpreter

PATIENCE = 60.0
"""Seconds that anything may take."""

_STAYS = re.compile(
    r"^(\w+=\S+ )*(\./dev run|(\./dev )?worker (run|serve|consume))\b(?!.*--(burst|limit|time-limit|help))"
)
_LISTENS = re.compile(r"^(\w+=\S+ )*(\./dev run|(\./dev )?worker (run|serve))\b")
_READS = re.compile(
    r"^(curl\b(?!.*( -d| --data| -X| -T))|(\./dev )?worker (status|check|failed (list|show|groups))\b)",
    re.DOTALL,
)
_PORTS = re.compile(r"(127\.0\.0\.1:|localhost:|--port[ =]|--health-port[ =]|port = |_PORT=)(\d{4})\b")

_WORKER = f'#!/bin/sh\nexec "{sys.executable}" -m worker "$@"\n'
_WARM = f'#!/bin/sh\nexec "{sys.executable}" -IS "{ASK}" "{{}}" "$@"\n'
_DEV = f"""#!/bin/sh
verb=$1; shift
case $verb in
run) exec worker run "$@" ;;
worker) exec worker "$@" ;;
test) exec "{sys.executable}" -m pytest -q -p no:cacheprovider -c "{ROOT}/pyproject.toml" --rootdir "$PWD" -o testpaths= "$@" ;;
*) echo "no part of the documentation's checks: ./dev $verb" >&2; exit 2 ;;
esac
"""


class Session:
    """One reader: a folder with the example beside it, commands one after the other, processes in the background.

    Args:
        warm: whether what stays may be forked from a warm interpreter, as commands that end are; else it begins as a
            reader's does.
    """

    def __init__(self, folder: Path, *, warm: bool = True) -> None:
        self.folder = folder
        self._warm = interpreter() if warm else None
        self.ids = Ids()
        self._ports: dict[str, str] = {}
        self._running: list[tuple[Command, subprocess.Popen[bytes] | Started, Path]] = []
        self._last = 0
        (folder / "worker.toml").write_text((ROOT / "worker.toml").read_text())
        (folder / "examples").symlink_to(ROOT / "examples")
        tools = folder / ".tools"
        tools.mkdir()
        _executable(tools / "worker", _WORKER)
        _executable(folder / "dev", _DEV)
        (tools / ".curlrc").write_text("silent\nshow-error\nmax-time = 30\n")
        warm = interpreter()
        (tools / "warm").mkdir()
        if warm is not None:
            _executable(tools / "warm" / "worker", _WARM.format(warm.path))
        self._env = {
            **{key: value for key, value in os.environ.items() if not key.startswith(("WORKER_", "PYTEST_"))},
            "PATH": f"{tools}:{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "CURL_HOME": str(tools),
            "HOME": str(folder),
            "WORKER_LOG_FORMAT": "text",
            "NO_COLOR": "1",
            "COLUMNS": "200",
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def follow(self, block: Block) -> None:
        """Do what a block says: write the file that it is, or run its commands."""
        if "title" in block.attributes or "append" in block.attributes:
            self._write(block)
        elif block.language in {"sh", "console"}:
            listed = commands(block)
            for place, command in enumerate(listed):
                following = listed[place + 1].text if place + 1 < len(listed) else ""
                self._do(command, may_fail=following.startswith("echo $?"))

    def close(self) -> None:
        """Stop what still runs; each process has to end well."""
        while self._running:
            self._stop("the end of the page", signal.SIGTERM)

    def kill(self) -> None:
        """Leave nothing behind, whatever happened."""
        for _, process, _ in self._running:
            if process.poll() is None:
                process.kill()
            process.wait()
        self._running.clear()

    def _write(self, block: Block) -> None:
        path = self.folder / (block.attributes.get("title") or block.attributes["append"])
        path.parent.mkdir(parents=True, exist_ok=True)
        before = path.read_text() if "append" in block.attributes else ""
        path.write_text(before + ("\n\n" if before else "") + self._with_ports(block.text))

    def _do(self, command: Command, *, may_fail: bool) -> None:
        __tracebackhide__ = True
        if command.text == STOP:
            self._stop(command.block.where, signal.SIGINT)
        elif _STAYS.match(command.text):
            self._start(command)
        else:
            self._run(command, may_fail=may_fail)

    def _run(self, command: Command, *, may_fail: bool) -> None:
        __tracebackhide__ = True
        deadline = time.monotonic() + PATIENCE
        while True:
            done = subprocess.run(
                ["bash", "-c", f"(exit {self._last}); {self._with_ports(self.ids.fill(command.text))}"],
                cwd=self.folder,
                env={**self._env, "PATH": f"{self.folder}/.tools/warm:{self._env['PATH']}"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=PATIENCE + 30,
            )
            output = self._with_shown_ports(done.stdout.decode())
            fits = not command.shown.strip() or self.ids.match(command.shown, output)
            if (
                (fits and (may_fail or done.returncode == 0))
                or not _READS.match(command.text)
                or time.monotonic() > deadline
            ):
                break
            time.sleep(0.3)
        self._last = done.returncode
        where = f"{command.block.where}: {command.text}"
        assert may_fail or done.returncode == 0, (
            f"{where}\nexit code {done.returncode}:\n{output}\n{self._logs()}"
        )
        assert fits, f"{where}\nthe page shows:\n{command.shown}\nbut it prints:\n{output}\n{self._logs()}"

    def _start(self, command: Command) -> None:
        __tracebackhide__ = True
        text = self.ids.fill(command.text)
        port = re.search(r"--port[ =](\d{4})", text)
        if port is None and _LISTENS.match(text):
            text += " --port 8000"
        path = self.folder / ".tools" / f"log{len(list((self.folder / '.tools').glob('log*')))}"
        assert "|" not in text and ";" not in text, (
            f"{command.block.where}: a process that stays stands alone"
        )
        words = shlex.split(self._with_ports(text), comments=True)
        given = {}
        while re.fullmatch(r"[A-Z_]+=.*", words[0]):
            key, _, value = words.pop(0).partition("=")
            given[key] = value
        process: subprocess.Popen[bytes] | Started
        with path.open("wb") as log, open(os.devnull) as nothing:
            env = {**self._env, **given}
            if self._warm is not None and words[0] == "worker" and "-w" not in words:
                streams = (nothing.fileno(), log.fileno(), log.fileno())
                process = self._warm.start(words[1:], self.folder, env, streams)
            else:
                process = subprocess.Popen(
                    words, cwd=self.folder, env=env, stdin=nothing, stdout=log, stderr=log
                )
        self._running.append((command, process, path))
        deadline = time.monotonic() + PATIENCE
        number = self._port(port[1] if port else "8000") if _LISTENS.match(text) else None
        while not self._is_up(command, path, number):
            assert process.poll() is None and time.monotonic() < deadline, (
                f"{command.block.where}: {command.text}\ndid not start as shown:\n{command.shown}\n{self._logs()}"
            )
            time.sleep(0.05)

    def _is_up(self, command: Command, path: Path, port: str | None) -> bool:
        text = self._with_shown_ports(path.read_text())
        if port is not None and not _answers(f"http://127.0.0.1:{port}/readyz"):
            return False
        if port is None and "started" not in text:
            return False
        return not command.shown.strip() or self.ids.match(command.shown, text, anywhere=True)

    def _stop(self, where: str, number: signal.Signals) -> None:
        __tracebackhide__ = True
        assert self._running, f"{where}: nothing runs that could be stopped"
        command, process, path = self._running.pop()
        process.send_signal(number)
        try:
            code = process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            code = None
        assert code == 0, (
            f"{where}: {command.text}\nwas stopped and ended with {code}:\n{path.read_text()[-4000:]}"
        )

    def _logs(self) -> str:
        return "\n".join(
            f"--- {command.text}\n{path.read_text()[-3000:]}" for command, _, path in self._running
        )

    def _port(self, shown: str) -> str:
        if shown not in self._ports:
            self._ports[shown] = str(ports.choose())
        return self._ports[shown]

    def _with_ports(self, text: str) -> str:
        return _PORTS.sub(lambda found: found[1] + self._port(found[2]), text)

    def _with_shown_ports(self, text: str) -> str:
        for shown, real in self._ports.items():
            text = re.sub(rf"\b{real}\b", shown, text)
        return text


def _executable(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as response:
            return response.status == 200
    except (OSError, urllib.error.URLError):
        return False
