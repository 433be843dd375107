"""The benchmarks run; what they measure is not looked at here."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.e2e
@pytest.mark.parametrize("name", ["consume", "publish", "intake", "latency", "idle"])
def test_benchmark_runs_and_writes_its_figures(name, tmp_path):
    document = tmp_path / "figures.json"

    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", name, "--quick", "--json", str(document)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=110,
    )

    assert done.returncode == 0, done.stderr
    results = json.loads(document.read_text())["results"]
    assert results
    for result in results:
        assert result["name"] in done.stdout
        assert all(figure >= 0 for figure in result["ours"])
        assert len(result["bare"]) in {0, len(result["ours"])}


def test_unknown_benchmark_is_named():
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "nothing"], cwd=ROOT, capture_output=True, text=True, timeout=60
    )

    assert done.returncode == 2
    assert "nothing" in done.stderr
