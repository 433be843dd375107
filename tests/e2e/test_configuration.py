"""Wrong usage and configuration: one clear message and the contract's exit code, in seconds."""

from __future__ import annotations

import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.e2e.processes import free_port
from tests.e2e.project import Project
from tests.e2e.waiting import SOON

pytestmark = pytest.mark.e2e


def test_three_mistakes_are_told_at_once(project: Project) -> None:
    """Three mistakes in the configuration make one error that names all three, and exit 2."""
    (project.folder / "worker.toml").write_text(
        'app = "tests.e2e.app:app"\n[http]\nport = "many"\n[datebase]\nurl = "x"\n[routing]\n"*" = "rabbit"\n'
    )
    for verb in (["serve"], ["consume"], ["run"], ["setup"], ["send", "Note", "number:=1"]):
        done = project.cli(*verb)
        assert done.returncode == 2, (verb, done.stderr)
        for part in ("http.port", "many", "datebase", "rabbit"):
            assert part in done.stderr, (verb, part, done.stderr)
        assert "Traceback" not in done.stderr


def test_unreachable_database_and_broker(project: Project) -> None:
    """A database or broker that cannot be opened is exit 3 after the connect timeout, and is named."""
    (project.folder / "file").touch()
    good = (project.folder / "worker.toml").read_text()
    for name in ("worker.db", "queue.db"):
        (project.folder / "worker.toml").write_text(good.replace(f"var/{name}", f"file/{name}"))
        for verb in (
            ["serve", "--connect-timeout", "1"],
            ["consume", "--connect-timeout", "1"],
            ["send", "Note"],
        ):
            started = time.monotonic()
            arguments = [*verb, "number:=1"] if verb[0] == "send" else verb
            done = project.cli(*arguments, extra={"WORKER_WORKER__CONNECT_TIMEOUT": "1"})
            assert done.returncode == 3, (verb, done.stderr)
            assert f"file/{name}" in done.stderr
            assert "Traceback" not in done.stderr
            assert time.monotonic() - started < SOON


def test_public_address_is_refused(project: Project) -> None:
    """Without tokens only loopback addresses are bound: any other is exit 2."""
    for host in ("0.0.0.0", "192.0.2.1"):
        for verb in ("serve", "run"):
            done = project.cli(verb, "--host", host, "--port", str(free_port()))
            assert done.returncode == 2, done.stderr
            assert host in done.stderr


def test_taken_port(project: Project) -> None:
    """A port that is taken is exit 2 and named."""
    intake = project.serve()
    done = project.cli("serve", "--port", str(intake.port))
    assert done.returncode == 2
    assert str(intake.port) in done.stderr


def test_exit_codes_of_send(project: Project) -> None:
    """An unknown type is 4, data that does not fit is 2 and names the field."""
    assert project.cli("send", "Nobody", "{}").returncode == 4
    wrong = project.cli("send", "Deposit", '{"number": "x"}')
    assert wrong.returncode == 2 and "number" in wrong.stderr
    assert project.cli("send", "Deposit", "not json").returncode == 2
    assert project.cli("nonsense").returncode == 2
    assert project.waiting() == 0


def test_guards(project: Project) -> None:
    """What destroys needs ``--yes`` where there is no terminal to ask on: exit 5, and nothing is changed."""
    project.send("Broken", name="x", how="reject")
    project.consume("--burst").wait()
    (item,) = project.json("failed", "list")["items"]
    for arguments in (
        ["failed", "remove", item["id"]],
        ["failed", "remove", "--all"],
        ["failed", "retry", "--all"],
    ):
        assert project.cli(*arguments).returncode == 5, arguments
    assert project.json("failed", "list")["total"] == 1
    assert project.cli("failed", "remove").returncode == 2
    assert project.cli("failed", "retry").returncode == 2


def test_no_setup_names_what_is_missing(project: Project) -> None:
    """With ``--no-setup`` missing tables and queues are exit 2 and named; ``worker setup`` mends it."""
    done = project.cli("check")
    assert (done.returncode, "missing: 0001_initial" in done.stdout) == (1, True), done.stdout + done.stderr
    for looking in (("status",), ("failed", "list")):
        done = project.cli(*looking)
        assert (done.returncode, "run: worker setup" in done.stderr) == (2, True), done.stderr
    assert not (project.folder / "var").exists()
    for verb in ("consume", "serve", "run"):
        done = project.cli(verb, "--no-setup")
        assert done.returncode == 2, done.stderr
        assert "missing" in done.stderr
    project.ok("setup")
    assert project.start("consume", "--no-setup", "--burst").wait() == 0


def test_setups_at_once(project: Project) -> None:
    """Four setups at the same time all exit with 0, also when they are repeated."""
    for _ in range(2):
        with ThreadPoolExecutor(4) as pool:
            done: list[subprocess.CompletedProcess[str]] = list(
                pool.map(lambda _: project.cli("setup"), range(4))
            )
        assert [one.returncode for one in done] == [0] * 4, [one.stderr for one in done]
    assert project.json("status")["workers"] == []


def test_starts_at_once(project: Project) -> None:
    """Workers and intakes that start at once on a fresh folder all come up."""
    workers = [project.start("consume") for _ in range(3)]
    intakes = [project.start("serve", "--port", str(free_port())) for _ in range(2)]
    for worker in workers:
        worker.until_logged("worker started")
    for intake in intakes:
        intake.until_logged("intake listens")
    for process in (*workers, *intakes):
        process.stop()
