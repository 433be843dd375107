"""How each rival is served: as the worker serves, by uvicorn on uvloop and httptools, in one process."""

from __future__ import annotations

import sys
from typing import Any

import uvicorn
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from benchmarks.peers.resources.model import FILE


def engine() -> AsyncEngine:
    """Make the engine on the file in the working folder."""
    return create_async_engine(f"sqlite+aiosqlite:///{FILE}")


def serve(app: Any) -> None:
    """Serve until it is ended; the port is the first argument."""
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=int(sys.argv[1]),
        loop="uvloop",
        http="httptools",
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        lifespan="off",
    )
