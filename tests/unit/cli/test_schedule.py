"""worker schedule: listed, paused, resumed and fired from the command line, on a real database."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.unit.cli.conftest import FakeProduct
from worker.cli.invocation import Invocation
from worker.cli.program import program
from worker.runtime.options import ScheduleOptions

APP = """
from datetime import datetime
import msgspec
from worker import App

app = App("shop")

@app.command
class Refresh(msgspec.Struct, frozen=True):
    at: str

@app.handler
async def refresh(command: Refresh) -> None: ...

@app.schedule("30 2 * * *", timezone="Europe/Berlin", missed="all")
def nightly(tick: datetime) -> Refresh:
    return Refresh(tick.isoformat())

@app.schedule(every=30.0)
async def broken() -> None:
    raise OSError("no\\x1b[2J luck")

@app.crontab
def lines() -> list[str]:
    return ["0 3 * * * backup --all"]
"""
TOML = """
app = "scheduled_shop:app"
[database]
url = "sqlite:///state.db"
[transports.sqlite]
url = "sqlite:///queue.db"
[routing]
"*" = "sqlite"
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "scheduled_shop.py").write_text(APP)
    (tmp_path / "worker.toml").write_text(TOML)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("getpass.getuser", lambda: "anna")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "scheduled_shop", raising=False)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(program, ["schedule", *arguments], obj=Invocation())


def items() -> dict[str, dict[str, object]]:
    return {item["name"]: item for item in json.loads(run("list", "--json").stdout)["items"]}


def test_schedules_are_listed_paused_resumed_and_fired(folder: Path):
    missing = run("list")
    assert (missing.exit_code, "run: worker setup" in missing.stderr) == (2, True)

    fired = run("run", "nightly")
    assert fired.exit_code == 0, fired.stderr
    item = items()["nightly"]
    assert item["last_id"] == fired.stdout.strip()
    assert (item["cron"], item["timezone"], item["missed"]) == ("30 2 * * *", "Europe/Berlin", "all")

    assert run("pause", "nightly", "broken", "--reason", "stock").stdout == "paused nightly\npaused broken\n"
    assert run("pause", "nightly").stdout == "nightly was paused before\n"
    item = items()["nightly"]
    assert item["paused"]
    assert item["pause"]["actor"] == "anna"  # type: ignore[index]
    assert item["pause"]["reason"] == "stock"  # type: ignore[index]
    assert len(run("run", "nightly").stdout.split()) == 1
    assert json.loads(run("resume", "nightly", "--json").stdout) == {
        "schedules": ["nightly"],
        "changed": ["nightly"],
    }
    assert not items()["nightly"]["paused"]

    broken = run("run", "broken")
    assert broken.exit_code == 1
    assert "OSError" in broken.stderr
    assert items()["broken"]["last_error"]["type"] == "OSError"  # type: ignore[index]
    listed = run("list")
    assert "every 30 s" in listed.stdout
    assert "\x1b[2J" not in listed.stdout
    assert "no scheduler runs" in listed.stderr


def test_the_next_times_of_each_are_told_from_a_time_on(folder: Path):
    run("pause", "nightly")  # makes the tables
    listed = run("list", "--next", "3", "--from", "2026-03-28T02:30:00+01:00", "--json")
    (nightly, broken) = json.loads(listed.stdout)["items"]
    assert nightly["next"] == [
        "2026-03-28T01:30:00.000Z",
        "2026-03-29T01:00:00.000Z",
        "2026-03-30T00:30:00.000Z",
    ]
    assert broken["next"][:2] == ["2026-03-28T01:30:00.000Z", "2026-03-28T01:30:30.000Z"]
    assert "2026-03-29T01:00:00.000Z" in run("list", "--next", "2", "--from", "2026-03-28T12:00:00Z").stdout


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("pause", "nope"), 4),
        (("resume", "nightly", "nope"), 4),
        (("run", "nope"), 4),
        (("pause",), 2),
        (("list", "--next", "0"), 2),
        (("list", "--from", "tomorrow"), 2),
        (("--no-setup", "list"), 2),
        (("nope",), 2),
    ],
)
def test_wrong_usage_and_unknown_names_are_told_apart(folder: Path, arguments: tuple[str, ...], code: int):
    assert run(*arguments).exit_code == code


def test_the_crontab_runs_each_command_in_the_folder(folder: Path):
    assert run("crontab").stdout == f"0 3 * * * cd {folder} && backup --all\n"
    assert json.loads(run("crontab", "--json").stdout)["lines"] == [f"0 3 * * * cd {folder} && backup --all"]


def test_without_a_command_it_fires_schedules(folder: Path):
    product = FakeProduct()
    started: list[ScheduleOptions] = []

    async def schedule(settings: object, registry: object, options: ScheduleOptions) -> int:
        started.append(options)
        return 0

    product.schedule = schedule  # type: ignore[method-assign]
    arguments = ["schedule", "--no-setup", "--graceful-timeout", "5"]
    result = CliRunner().invoke(program, arguments, obj=Invocation(product=product))
    assert result.exit_code == 0
    assert started == [ScheduleOptions(setup=False, graceful_timeout=5.0)]
