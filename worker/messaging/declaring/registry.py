"""Checks at start: turns declarations into a ``Registry``, or says everything that is wrong with them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from worker.errors import ConfigurationError
from worker.messaging.declaration import Registry
from worker.messaging.declaring.declarations import Declarations
from worker.messaging.declaring.draft import Check, Draft
from worker.messaging.declaring.messages import NAME


class WrongDeclarations(ConfigurationError):
    """Declarations with faults.

    Attributes:
        registry: what they come to all the same, to look for other faults; None where they come to nothing.
    """

    def __init__(self, faults: Sequence[str], registry: Registry | None) -> None:
        self.registry = registry
        super().__init__(faults)


def check(
    application: Any, declared: Declarations, plugins: tuple[str, ...], checks: Sequence[Check]
) -> Registry:
    """Check declarations, one kind after the other.

    Raises:
        WrongDeclarations: with every fault found.
    """
    draft = Draft(declared)
    if not isinstance(application, str) or not NAME.fullmatch(application):
        draft.faults.append(f"App({application!r}): expected a name of letters, digits, '.', '-' or '_'")
    for one in checks:
        one(draft)
    if not draft.faults:
        return draft.registry(application, plugins)
    try:
        registry = draft.registry(application, plugins)
    except Exception:  # names that are no text, priorities that are no numbers
        registry = None
    raise WrongDeclarations(draft.faults, registry)
