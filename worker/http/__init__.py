"""The intake: commands and queries over HTTP, and what their senders may ask about them."""

from worker.http.app import create_app
from worker.http.ports import Ports

__all__ = ["Ports", "create_app"]
