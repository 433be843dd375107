"""gRPC's library, loaded so that it leaves processes alone that a handler forks.

By default it starts its threads again in each child, beside connections that are not the child's, and ends many a child by
a fault of memory (grpc/grpc#32992). It reads whether it may when it is loaded, so this is the first to load it. What the
environment says itself holds; where an application has loaded gRPC before, so does what it was loaded with.
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
