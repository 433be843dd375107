"""Logs of tests show tracebacks as the worker's own processes do: as Python prints them.

Where rich is installed structlog draws a frame around each, with all variables, which takes a quarter of a second of
processor time for an error that no test looks at. This plugin comes before everything that imports either, and before
the modules that tests share, so that their asserts, too, say what they compared.
"""

from __future__ import annotations

import pytest

from worker.cli.structlog_alone import import_structlog

import_structlog()
for folder in ("conformance", "docs", "e2e", "faults", "integration", "properties", "unit"):
    pytest.register_assert_rewrite(f"tests.{folder}")
