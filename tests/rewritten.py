"""``python -m tests.rewritten``: compile the tests as pytest does, with their asserts rewritten, before a run begins.

Each process of a run imports all of them; without this each would rewrite them first, for as long as it imports them.
It asks pytest's own inside: where that has changed the run itself does the work.
"""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from _pytest.assertion import AssertionState
from _pytest.assertion.rewrite import PYC_TAIL, _rewrite_test, _write_pyc, get_cache_dir, try_makedirs
from _pytest.config import get_config

ROOT = Path(__file__).parents[1]
CONFIG = get_config()
"""Made once, not for each file: it takes as long as rewriting one."""


def write(path: Path) -> None:
    """Compile one file, where it is not."""
    folder = get_cache_dir(path)
    compiled = folder / (path.name[:-3] + PYC_TAIL)
    if compiled.exists() and compiled.stat().st_mtime >= path.stat().st_mtime:
        return
    found, code = _rewrite_test(path, CONFIG)
    if try_makedirs(folder):
        _write_pyc(AssertionState(CONFIG, "rewrite"), code, found, compiled)


if __name__ == "__main__":
    files = [
        path
        for pattern in (
            "tests/*/**/*.py",
            "tests/test_*.py",
            "examples/**/test_*.py",
            "examples/**/conftest.py",
        )
        for path in ROOT.glob(pattern)
    ]
    with ProcessPoolExecutor(os.cpu_count()) as processes:
        list(processes.map(write, files, chunksize=20))
