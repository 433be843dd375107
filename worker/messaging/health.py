"""The health document: every part of a process, and whether it answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec


class HealthReport(msgspec.Struct, frozen=True, kw_only=True):
    """The health document of the contract; ``reasons`` says why what is not healthy is not."""

    healthy: bool
    status: Mapping[str, bool] = {}
    info: Mapping[str, Any] = {}
    process: Mapping[str, Any] = {}
    reasons: Sequence[str] = ()
