"""Laws hold however slow the machine is: no example has a deadline."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("laws", deadline=None)
settings.load_profile("laws")
