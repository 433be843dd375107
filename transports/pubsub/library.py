"""gRPC's library, loaded so that it leaves alone the processes that a handler forks.

By default it starts its threads again in each child, beside connections that are not the child's, and many children then
crash (grpc/grpc#32992). It reads whether to do so when it is loaded, so this module must be the first to load it. What the
environment sets itself is kept; where an application has loaded gRPC before, what was set then holds.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

_VARIABLE = "GRPC_ENABLE_FORK_SUPPORT"


@contextmanager
def _children_left_alone() -> Iterator[None]:
    if _VARIABLE in os.environ:
        yield
        return
    os.environ[_VARIABLE] = "0"
    try:
        yield
    finally:
        del os.environ[_VARIABLE]  # programs that are started decide for themselves


with _children_left_alone():
    import grpc.aio
    from google.pubsub_v1 import types

__all__ = ["grpc", "types"]
