"""Installs what a broker needs, where that may be done without asking: as root on a Debian-like machine."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.brokers.unavailable import Unavailable

POLICY = Path("/usr/sbin/policy-rc.d")


def may_install() -> bool:
    """Whether packages may be installed here; ``WORKER_TEST_INSTALL=no`` forbids it."""
    return (
        os.environ.get("WORKER_TEST_INSTALL", "yes") != "no"
        and hasattr(os, "geteuid")
        and os.geteuid() == 0
        and shutil.which("apt-get") is not None
    )


def install(package: str) -> None:
    """Install a package of the distribution; its services are not started.

    Raises:
        Unavailable: when it could not be installed.
    """
    with _one_at_a_time(), _no_services():
        command = ["apt-get", "install", "-y", "-q", "--no-install-recommends", package]
        done = _run(command)
        if done.returncode:
            # the lists may be older than the packages they name
            _run(["apt-get", "update", "-q"])
            done = _run(command)
    if done.returncode:
        last = (done.stdout.strip().splitlines() or ["no output"])[-1]
        raise Unavailable(f"`apt-get install {package}` failed: {last}")


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=900,
    )


@contextlib.contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Several test runs of one machine install one after the other."""
    with Path(tempfile.gettempdir(), "worker-brokers-install.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def _no_services() -> Iterator[None]:
    """Debian's own switch: packages that bring a service do not start it."""
    if POLICY.exists():
        yield
        return
    POLICY.write_text("#!/bin/sh\nexit 101\n")
    POLICY.chmod(0o755)
    try:
        yield
    finally:
        POLICY.unlink(missing_ok=True)
