"""Servers in Java start from an archive of their classes, which the first start on a machine leaves."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.brokers import ports
from tests.brokers.java import Java, java
from tests.brokers.place import Place
from tests.e2e.waiting import until

MAIN = "some.Main"
_STANDIN = """\
#!/bin/sh
trap '{last}; exit 0' TERM
for word; do case $word in -XX:ArchiveClassesAtExit=*) archive=${{word#*=}} ;; esac; done
: >"$archive.up"
sleep 600 &
wait
"""


def learn(folder: Path, monkeypatch: pytest.MonkeyPatch, last: str) -> Java:
    """A server that was started once, of a Java that does this at its end."""
    program = folder / "java"
    program.write_text(_STANDIN.format(last=last))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
    (folder / "records").mkdir()
    server = Java(Place(folder), folder / "a.jar", MAIN, folder=folder, port=ports.choose())
    assert server.learns
    server.start_to_learn()
    until((folder / "classes.jsa.up").exists, "it runs")
    server.learned()
    return server


def test_the_first_start_leaves_an_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is kept for this Java and these libraries, and every later start has it."""
    assert not learn(tmp_path, monkeypatch, 'echo classes >"$archive"').learns
    (kept,) = (tmp_path / "cache" / "command-worker").iterdir()
    assert f"-XX:SharedArchiveFile={kept}" in java(tmp_path / "a.jar", MAIN)
    assert f"-XX:SharedArchiveFile={kept}" not in java(tmp_path / "b.jar", MAIN)


def test_a_java_that_writes_no_archive_is_asked_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Later starts go without."""
    assert not learn(tmp_path, monkeypatch, ":").learns
    assert not any("Archive" in word for word in java(tmp_path / "a.jar", MAIN))
