"""The search example, with subscribers that write down every event that there is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from examples.search import app as search
from examples.search import events
from worker import App, Context, TokensWereDeleted, TokenWasAdded, TokenWasDeleted

app = App("search")
app.include(search.app)

EVENTS: tuple[type[Any], ...] = (
    events.IndexWasConfigured,
    events.IndexWasReset,
    events.InteractionWasAdded,
    events.ItemsWereAdded,
    events.ItemsWereDeleted,
    events.ItemsWereUpdated,
    events.QueryWasMade,
    TokenWasAdded,
    TokenWasDeleted,
    TokensWereDeleted,
)
SEEN = "events.ndjson"


class Seen(msgspec.Struct, frozen=True):
    """An event that a subscriber was called for, and the request that it goes back to."""

    cause: str | None
    type: str
    data: dict[str, Any]


def _writer(cls: type[Any]) -> Any:
    async def write(event: Any, context: Context) -> None:
        """Add a line, in one write."""
        line = Seen(context.correlation_id, cls.__name__, msgspec.to_builtins(event))
        with Path(SEEN).open("ab") as file:
            file.write(msgspec.json.encode(line) + b"\n")

    write.__name__ = f"write_{cls.__name__}"
    write.__annotations__["event"] = cls
    return write


for one in EVENTS:
    app.subscriber(_writer(one))
