"""The log says what it can, and ends no code that logs."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from worker.cli.logging import configure


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    root, config = logging.getLogger(), structlog.get_config()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.configure(**config)
    root.handlers[:] = handlers
    root.setLevel(level)


class Raising(logging.Handler):
    """As one that a handler has set."""

    def emit(self, record: logging.LogRecord) -> None:
        raise SystemExit(3)


def raising(*_given: Any) -> Any:
    """A processor that ends the code that logs."""
    raise SystemExit(4)


def test_a_log_that_a_handler_has_spoilt_fails_nobody() -> None:
    """Neither a handler of ``logging`` nor a processor of structlog that raises gets through."""
    log = structlog.stdlib.get_logger("worker")
    configure(form="json", stream=io.StringIO())
    logging.getLogger().handlers[:] = [Raising()]
    log.error("said")
    structlog.configure(processors=[raising])
    log.bind(a=1).warning("said")
