"""A project in an empty folder for each test; whatever it started is gone afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.project import Project


@pytest.fixture
def project(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Project]:
    """A folder with the test application's configuration."""
    made = Project(tmp_path)
    made.configure()
    try:
        yield made
    finally:
        made.close()
