"""The intake: commands and queries over HTTP, and what their senders may ask about them."""

from worker.http.app import create_app
from worker.http.ports import HealthReport, Ports

__all__ = ["HealthReport", "Ports", "create_app"]
