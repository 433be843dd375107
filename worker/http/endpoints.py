"""All endpoints of the intake, in the order in which the documentation shows them."""

from __future__ import annotations

from worker.http import batch, commands, consumers, failed, health, queries, status
from worker.http.pages import with_pages

ENDPOINTS = with_pages(
    [
        *commands.ENDPOINTS,
        *queries.ENDPOINTS,
        *batch.ENDPOINTS,
        *status.ENDPOINTS,
        *consumers.ENDPOINTS,
        *failed.ENDPOINTS,
        *health.ENDPOINTS,
    ]
)
