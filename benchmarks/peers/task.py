"""What a program is asked to do, told by its environment: ``BENCH_URL`` and so on."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Task:
    """One measurement's share of one program.

    Attributes:
        url: of the broker.
        queue: or topic.
        messages: to handle or to send.
        pace: seconds between two that are sent; 0 for as fast as it goes.
        report: file that is written when they are done.
    """

    url: str
    queue: str
    messages: int
    pace: float
    report: Path

    @classmethod
    def given(cls) -> Task:
        """Read it; a program that was given none has nothing to do."""
        get = os.environ.get
        return cls(
            url=get("BENCH_URL", ""),
            queue=get("BENCH_QUEUE", "bench"),
            messages=int(get("BENCH_MESSAGES", "0")),
            pace=float(get("BENCH_PACE", "0")),
            report=Path(get("BENCH_REPORT", "report.json")),
        )

    def environment(self) -> dict[str, str]:
        """Write it down for a program."""
        return {
            "BENCH_URL": self.url,
            "BENCH_QUEUE": self.queue,
            "BENCH_MESSAGES": str(self.messages),
            "BENCH_PACE": str(self.pace),
            "BENCH_REPORT": str(self.report),
        }
