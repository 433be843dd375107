"""The product's own queries, which every application answers."""

from __future__ import annotations

import msgspec


class Ping(msgspec.Struct, frozen=True):
    """Ask whether the service is there; the answer is ``True``."""


class CheckHealth(msgspec.Struct, frozen=True):
    """Ask for the health document of the process that is asked."""


class GetCrontab(msgspec.Struct, frozen=True):
    """Ask for the lines that the application has for the system's crontab: ``m h dom mon dow command``."""
