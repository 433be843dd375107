"""A broker that cannot be had here, and how to get it."""

from __future__ import annotations


class Unavailable(Exception):
    """No server of this kind can be had; the text is one line that says how to get it."""
