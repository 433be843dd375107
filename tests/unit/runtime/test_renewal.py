"""What becomes of one process that HUP has stopped."""

from __future__ import annotations

import pytest

from worker.runtime.renewal import renew
from worker.runtime.supervisor import command_line


def renewed(*, environment: dict[str, str] | None = None, terminal: bool = False) -> list[list[str]]:
    made: list[list[str]] = []
    code = renew(
        ["consume", "-c", "4"],
        environment=environment or {},
        terminal=lambda: terminal,
        replace=lambda _, command: made.append(command),
    )
    assert code == 0
    return made


def test_one_process_is_started_anew() -> None:
    """The same command line takes the process's place."""
    assert renewed() == [command_line(["consume", "-c", "4"])]


@pytest.mark.parametrize(
    "case", [{"environment": {"WORKER_SUPERVISED": "1"}}, {"terminal": True}], ids=["supervised", "terminal"]
)
def test_who_is_to_end_ends(case: dict[str, object]) -> None:
    """A supervisor starts the next by itself; on a terminal HUP says that the terminal is gone."""
    assert renewed(**case) == []  # type: ignore[arg-type]  # the cases are this function's own keywords
