"""All endpoints of the intake, in the order in which the documentation shows them."""

from __future__ import annotations

from collections.abc import Iterable

from worker.http import batch, commands, consumers, failed, health, queries, schedules, status, tokens
from worker.http.endpoint import Endpoint
from worker.http.pages import with_pages


def endpoints_with(more: Iterable[Endpoint]) -> tuple[Endpoint, ...]:
    """Return all endpoints of the intake and those of an application's own, described together."""
    return with_pages(
        [
            *commands.ENDPOINTS,
            *queries.ENDPOINTS,
            *more,
            *batch.ENDPOINTS,
            *status.ENDPOINTS,
            *consumers.ENDPOINTS,
            *failed.ENDPOINTS,
            *schedules.ENDPOINTS,
            *tokens.ENDPOINTS,
            *health.ENDPOINTS,
        ]
    )


ENDPOINTS = endpoints_with(())
"""Those that every application has."""
