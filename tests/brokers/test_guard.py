"""What a test run has started ends with it, however the run itself ends."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.brokers.guard import ROOT
from tests.brokers.place import Place, born
from tests.e2e.waiting import until

OWNER = """
import subprocess, sys, time
from pathlib import Path
from tests.brokers import guard
from tests.brokers.place import Place
import os
place = Place(Path(sys.argv[1]))
guard.start(os.getpid(), place)
server = subprocess.Popen(["sleep", "600"], start_new_session=True)
place.record_group(server.pid, 15)
print(server.pid, flush=True)
time.sleep(600)
"""


def test_servers_of_a_killed_run_are_ended() -> None:
    """When the run is killed with -9, its servers end and its folder goes."""
    place = Place.make()
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(place.folder)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert owner.stdout is not None
    server = int(owner.stdout.readline())
    assert born(server)
    owner.kill()
    owner.wait()
    owner.stdout.close()
    until(lambda: born(server) is None, "the server has ended")
    until(lambda: not place.folder.exists(), "the folder is gone")


def test_deaf_server_is_killed(monkeypatch) -> None:
    """A server that ignores its stop signal is killed after the grace."""
    monkeypatch.setattr("tests.brokers.place.GRACE", 0.2)
    place = Place.make()
    deaf = subprocess.Popen(
        ["sh", "-c", "trap '' TERM; echo; sleep 600 & wait; wait"], start_new_session=True
    )
    place.record_group(deaf.pid, 15)
    place.sweep()
    deaf.wait(10)
    assert born(deaf.pid) is None and not place.folder.exists()


def test_stranger_with_a_recorded_number_is_left_alone() -> None:
    """A process that only has the number of an ended server is not touched."""
    place = Place.make()
    stranger = subprocess.Popen(["sleep", "600"], start_new_session=True)
    place.record_group(stranger.pid, 9)
    record = next((place.folder / "records").iterdir())
    record.write_text(record.read_text().replace('"born": "', '"born": "1'))
    try:
        place.sweep()
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_folder_is_reachable_for_other_users() -> None:
    """A database server that runs as another user may pass through to its data."""
    place = Place.make()
    try:
        folders = [place.folder, *place.folder.parents]
        assert all(Path(folder).stat().st_mode & 0o001 for folder in folders)
    finally:
        place.sweep()
