"""Who works on the command line, as audits show it."""

from __future__ import annotations

import getpass


def actor() -> str:
    """Name of the system's user."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return "cli"
