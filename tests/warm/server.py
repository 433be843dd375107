"""A process that has imported what every command of the worker imports, and forks one for each that is asked for.

``python -m tests.warm.server DESCRIPTOR`` accepts requests on the listening socket of that number until its stdin ends:
a line of JSON with ``arguments``, ``cwd`` and ``env``, and the three standard streams. Each is answered with a line that
says the process's number, and one with its exit code, below 0 for a signal.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import io
import json
import os
import pkgutil
import random
import runpy
import select
import signal
import socket
import sys
import threading
import time
from typing import Any

OTHERS = (
    "sqlalchemy.dialects.postgresql.asyncpg",
    "sqlalchemy.dialects.sqlite.aiosqlite",
    "sqlalchemy.ext.asyncio",
    "transports.kafka.transport",
    "transports.postgres.transport",
    "transports.rabbitmq.transport",
    "transports.sqlite.transport",
    "transports.sqs.transport",
    "uvloop",
)
"""What commands import beside the package itself; nothing for Pub/Sub: gRPC does not bear a fork."""


def prepare() -> str:
    """Import everything; return the file of the program."""
    from worker.cli.structlog_alone import import_structlog

    import_structlog()  # as the program does, which keeps it small
    import worker

    found = [one.name for one in pkgutil.walk_packages(worker.__path__, "worker.")]
    for name in (*found, *OTHERS):
        if not name.startswith(("worker.__main__", "worker.testing")):
            importlib.import_module(name)
    from worker.state.sessions.blueprint import blueprint

    blueprint("", 0.0)  # worked out once, not in each process that makes its database
    gc.collect()
    gc.freeze()
    return os.path.join(os.path.dirname(str(worker.__file__)), "__main__.py")


def serve(listener: socket.socket) -> dict[str, Any] | None:
    """Fork for each request: it is returned in the process that is to do it, None in this one at its end."""
    ended, wake = socket.socketpair()
    for one in (ended, wake):
        one.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
    askers: dict[socket.socket, int] = {}
    asked: list[socket.socket | int] = [listener, 0]
    while asked or askers:
        ready, _, _ = select.select([*asked, ended, *askers], [], [])
        if 0 in ready:  # no process asks any more; what still runs has an end, or an asker that goes
            asked.clear()
        if ended in ready:
            ended.recv(4096)
            _tell_ends(askers)
        for asker in askers.keys() & set(ready):  # gone before its process, which no other process would end
            os.kill(askers[asker], signal.SIGKILL)
            os.waitpid(askers.pop(asker), 0)
            asker.close()
        if listener not in asked or listener not in ready:
            continue
        asker, _ = listener.accept()
        line, streams, _, _ = socket.recv_fds(asker, 65536, 3)
        while not line.endswith(b"\n") and (more := asker.recv(65536)):
            line += more
        child = os.fork()
        if child == 0:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for number, stream in enumerate(streams):
                os.dup2(stream, number)
                os.close(stream)
            for held in (listener, ended, wake, asker, *askers):
                held.close()
            request: dict[str, Any] = json.loads(line)
            return request
        for stream in streams:
            os.close(stream)
        askers[asker] = child
        _tell(asker, child)
    return None


def _tell_ends(askers: dict[socket.socket, int]) -> None:
    """Tell each process that asked for one that it has ended."""
    for asker, child in list(askers.items()):
        found, status = os.waitpid(child, os.WNOHANG)
        if found:
            del askers[asker]
            _tell(asker, os.waitstatus_to_exitcode(status))
            asker.close()


def _tell(asker: socket.socket, number: int) -> None:
    with contextlib.suppress(OSError):  # it has gone
        asker.sendall(b"%d\n" % number)


def become(request: dict[str, Any], program: str, path: list[str]) -> None:
    """Be the process that ``python -m worker`` would have been."""
    os.setsid()
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["env"])
    time.tzset()
    random.seed()
    sys.argv = [program, *request["arguments"]]
    sys.orig_argv = [sys.executable, "-m", "worker", *request["arguments"]]
    sys.dont_write_bytecode = bool(os.environ.get("PYTHONDONTWRITEBYTECODE"))
    given = os.environ.get("PYTHONPATH", "")
    sys.path[:] = [request["cwd"], *(given.split(os.pathsep) if given else []), *path]
    sys.stdin = sys.__stdin__ = io.TextIOWrapper(io.BufferedReader(io.FileIO(0, closefd=False)))
    sys.stdout = sys.__stdout__ = io.TextIOWrapper(_written(1), line_buffering=os.isatty(1))
    sys.stderr = sys.__stderr__ = io.TextIOWrapper(
        _written(2), errors="backslashreplace", line_buffering=True
    )
    try:
        runpy.run_path(program, run_name="__main__")
    except SystemExit as end:
        leave(end.code)
        raise  # Python's own way


def leave(code: Any) -> None:
    """End as Python does, but for taking hundreds of modules apart one by one; return where it has more to say.

    That would take most of the processor time of a short command. Threads are waited for, what is registered for the
    end is called, garbage is collected, and what was printed is written.
    """
    if not isinstance(code, int | None):
        return
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    gc.collect()
    try:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None and not stream.closed:
                stream.flush()
    except (OSError, ValueError):
        return
    os._exit((code or 0) & 0xFF)


def _written(number: int) -> io.BufferedWriter:
    return io.BufferedWriter(io.FileIO(number, "w", closefd=False))


def main() -> None:
    """Serve; or be what was asked for."""
    given = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    path = [entry for entry in sys.path if entry not in {"", os.getcwd(), *given}]
    program = prepare()
    request = serve(socket.socket(fileno=int(sys.argv[1])))
    if request is not None:
        become(request, program, path)


if __name__ == "__main__":
    main()
