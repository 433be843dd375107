"""Naming steps: how faults of them begin."""

from __future__ import annotations

from worker.chain.declared import StepEntry
from worker.messaging.declaring.functions import name_of


def named_step(entry: StepEntry) -> str:
    """Name a step with its action, and with the place of a file that declares it."""
    of_action = f" of action {entry.action!r}" if isinstance(entry.action, str) else ""
    where = f" ({entry.source})" if entry.source else ""
    return f"step {entry.name or name_of(entry.target)}{of_action}{where}"
