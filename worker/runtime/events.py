"""What a worker tells whoever listens: plain facts, frozen."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from worker.messaging.envelope import Envelope


class Finished(msgspec.Struct, frozen=True):
    """A message was settled. ``outcome``: done, retrying, failed or returned."""

    type: str | None
    message_id: str
    outcome: str
    envelope: Envelope[object] | None = None


Listener = Callable[[Finished], None]
"""Called on the loop; must not block or raise."""
