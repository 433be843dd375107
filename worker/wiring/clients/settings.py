"""The settings of a client, in whichever form they are given."""

from __future__ import annotations

import os

from worker.errors import UsageError
from worker.settings import Settings, load


def settings_of(config: Settings | str | os.PathLike[str] | None) -> Settings:
    """Return settings as they are, or load them as the command line does.

    Raises:
        ConfigurationError: with every fault.
        UsageError: it is none of the three.
    """
    if isinstance(config, Settings):
        return config
    if config is None or isinstance(config, str | os.PathLike):
        return load(config=config)
    raise UsageError(
        f"Client(config={config!r:.64}): expected Settings, the path of a configuration file, or None"
    )
