"""How the processes of a run share the tests: the long ones first, and apart whatever may be apart.

With pytest-xdist a process is given one share after the other. The tests of a file are one share, as they may use a
server that was started for them. In the folders of ``APART`` each test brings a place of its own and is a share of
its own, so that no process has a long file before it while the others have nothing left. Those that wait, for brokers
and processes, alternate with those that only work: else there were minutes in which all of them wait.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]

APART = (
    "tests/conformance/",
    "tests/docs/test_sessions.py",
    "tests/e2e/",
    "tests/faults/",
    "tests/integration/",
)
"""Beginnings of paths."""

LONG = ("fault", "slow", "e2e", "broker")
"""Marks, those that take the longest first; before all of them comes what is in ``LONGEST``."""
LONGEST = "tests/faults/"


def share(nodeid: str) -> str:
    """The share that a test belongs to."""
    path = nodeid.partition("::")[0]
    return nodeid if path.startswith(APART) and not _one_for_all(path) else path


def rank(item: pytest.Item) -> int:
    """Tests begin in this order: what is left at the end should be short."""
    if item.nodeid.startswith(LONGEST):
        return -1
    marks = {mark.name for mark in item.iter_markers()}
    return next((place for place, name in enumerate(LONG) if name in marks), len(LONG))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the long shares first, in the processes of a run only; a share stays together."""
    if not hasattr(config, "workerinput"):
        return
    shares: dict[str, list[pytest.Item]] = {}
    for item in items:
        shares.setdefault(share(item.nodeid), []).append(item)
    kinds = {name: min(map(rank, those)) for name, those in shares.items()}
    # among those of a kind the shares of many tests come first
    ordered = sorted(shares, key=lambda name: (kinds[name], -len(shares[name])))
    waiting = [name for name in ordered if kinds[name] < len(LONG)]
    working = [name for name in ordered if kinds[name] == len(LONG)]
    items[:] = [item for name in alternating(waiting, working) for item in shares[name]]


def alternating(some: Sequence[str], others: Sequence[str]) -> list[str]:
    """Merge two orders so that at each place as much of both is left, by their lengths."""
    places = [
        ((index + 1) / len(names), name) for names in (some, others) for index, name in enumerate(names)
    ]
    return [name for _, name in sorted(places, key=itemgetter(0))]


@pytest.hookimpl(optionalhook=True, tryfirst=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give the tests out by shares where they go by files."""
    if config.getoption("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class ByShares(LoadFileScheduling):
        """Like files, in smaller shares."""

        def _split_scope(self, nodeid: str) -> str:
            return share(nodeid)

    return ByShares(config, log)


@cache
def _one_for_all(path: str) -> bool:
    """Whether something is started once for all tests of a file."""
    return 'scope="module"' in (ROOT / path).read_text()
