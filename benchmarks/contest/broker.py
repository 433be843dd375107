"""The broker of a contest, as the tests get theirs: named by the environment, installed here, or in a container."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from benchmarks.contest.cores import Cores


class NoBroker(Exception):
    """There is none here; the message says how to get one."""


@contextmanager
def broker(kind: str, cores: Cores, *, everywhere: bool = False) -> Iterator[Any]:
    """Give the broker of a kind (``rabbitmq``, ``kafka``), started beside the load and ended afterwards.

    ``everywhere`` starts it on all cores, for what has no load beside the program that is measured.

    Raises:
        NoBroker: there is none.
    """
    # the tests' brokers know how; they are there in an environment for development only
    import pytest

    from tests.brokers.brokers import Brokers

    if not everywhere:
        cores.leave()
    brokers = Brokers(os.getpid())
    try:
        try:
            found = brokers.shared(kind)
        except (pytest.skip.Exception, pytest.fail.Exception) as missing:
            raise NoBroker(missing.msg) from None
        yield found
    finally:
        brokers.close()
