"""What the service is set to: read from flags, environment, file and defaults, and checked whole."""

from worker.settings.loading import load
from worker.settings.masking import mask_url, masked
from worker.settings.model import (
    DatabaseSettings,
    EventsSettings,
    HttpSettings,
    RetrySettings,
    Settings,
    StatusSettings,
    TokensSettings,
    TransportSettings,
    WorkerSettings,
)

__all__ = [
    "DatabaseSettings",
    "EventsSettings",
    "HttpSettings",
    "RetrySettings",
    "Settings",
    "StatusSettings",
    "TokensSettings",
    "TransportSettings",
    "WorkerSettings",
    "load",
    "mask_url",
    "masked",
]
