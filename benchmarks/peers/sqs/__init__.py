"""Clients of Amazon SQS by themselves, and a framework; what they share."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

MOST = 10
"""Messages that one request takes."""

POLLERS = 4
"""Polls under way at once, as the worker has them at most."""


def region_of(url: str) -> str:
    """The region of an ``sqs://region?endpoint_url=…&prefix=…``."""
    return url.removeprefix("sqs://").partition("?")[0]


def endpoint_of(url: str) -> str:
    """Where its server is."""
    return _told(url, "endpoint_url")


def prefix_of(url: str) -> str:
    """What its queues' names begin with."""
    return _told(url, "prefix")


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Any]:
    """Make aiobotocore's client as it is by default; credentials come from the environment."""
    async with _session().create_client(
        "sqs", region_name=region_of(url), endpoint_url=endpoint_of(url)
    ) as client:
        yield client


@cache
def _session() -> Any:
    """Make one for the process: each session reads the service's models anew, which takes a tenth of a second."""
    from aiobotocore.session import get_session  # frameworks have no use for it

    return get_session()


def _told(url: str, name: str) -> str:
    words = dict(word.partition("=")[::2] for word in url.partition("?")[2].split("&"))
    return words.get(name, "")
