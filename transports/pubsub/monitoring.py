"""How much waits, as Cloud Monitoring tells it, minutes late: Pub/Sub itself cannot be asked."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import structlog

log = structlog.stdlib.get_logger("worker.pubsub")

SCOPE = "https://www.googleapis.com/auth/monitoring.read"
HOST = "https://monitoring.googleapis.com"
COUNT = "pubsub.googleapis.com/subscription/num_undelivered_messages"
"""Messages that are not acknowledged yet, whether they are handed out or not."""
AGE = "pubsub.googleapis.com/subscription/oldest_unacked_message_age"
WINDOW = timedelta(minutes=10)
"""Older samples say nothing about now."""
FRESH = 30.0
"""Seconds for which an answer counts as new: there is one sample a minute, and questions cost."""
_AT_ONCE = 100
"""Subscriptions in one question: it is a URL, whose length is limited."""
_PAGES = 100
"""Most pages of one answer: one that never ends is broken, and would keep its thread for good."""


class Backlog(NamedTuple):
    """What was last told about a subscription; what is unknown is None, never 0."""

    unacknowledged: int | None = None
    oldest_age: float | None = None


class Monitoring:
    """Asks Cloud Monitoring, at most every half minute.

    Args:
        project: id of the project.
        credentials: Google's, which may read its monitoring.
        timeout: seconds for one answer.
        host: of the service.
    """

    def __init__(self, project: str, credentials: Any, timeout: float, host: str = HOST) -> None:
        from google.auth.transport import requests

        self._url = f"{host}/v3/projects/{project}/timeSeries"
        session: Any = requests.AuthorizedSession  # whose types are not told
        self._session: Any = session(credentials)
        self._timeout = timeout
        self._turn = asyncio.Lock()
        self._told: dict[str, tuple[float, Backlog]] = {}
        self._fault = ""

    async def backlogs(self, subscriptions: Sequence[str]) -> Mapping[str, Backlog]:
        """Tell the backlog of each, by its short name; what is not known, or cannot be asked, is None."""
        async with self._turn:
            now = asyncio.get_running_loop().time()
            old = [
                name for name in subscriptions if name not in self._told or self._told[name][0] < now - FRESH
            ]
            for start in range(0, len(old), _AT_ONCE):
                part = old[start : start + _AT_ONCE]
                found = await self._ask(part)
                self._told.update((name, (now, found.get(name, Backlog()))) for name in part)
            return {name: self._told[name][1] for name in subscriptions}

    def close(self) -> None:
        """Let go of its connections."""
        self._session.close()

    async def _ask(self, names: Sequence[str]) -> Mapping[str, Backlog]:
        from google.auth.exceptions import GoogleAuthError

        try:
            async with asyncio.timeout(3 * self._timeout):
                counts, ages = [
                    await asyncio.to_thread(self._latest, metric, names) for metric in (COUNT, AGE)
                ]
            told = {
                name: Backlog(None if name not in counts else int(counts[name]), ages.get(name))
                for name in names
            }
        except (OSError, GoogleAuthError, ValueError, TypeError, LookupError, OverflowError) as error:
            self._tell(f"{type(error).__name__}: {error}".splitlines()[0])
            return {}
        self._tell("")
        return told

    def _latest(self, metric: str, names: Sequence[str]) -> dict[str, float]:
        """The newest point of each subscription; runs in a thread."""
        found: dict[str, tuple[str, float]] = {}
        for series in self._series(metric, names):
            name = series["resource"]["labels"]["subscription_id"]
            for point in series["points"]:
                at, value = point["interval"]["endTime"], point["value"]
                number = float(value["int64Value"] if "int64Value" in value else value["doubleValue"])
                if name not in found or at > found[name][0]:
                    found[name] = (at, number)
        return {name: number for name, (_, number) in found.items()}

    def _series(self, metric: str, names: Sequence[str]) -> Iterator[Any]:
        end = datetime.now(UTC)
        wanted = ", ".join(json.dumps(name) for name in names)
        asked = {
            "filter": f'metric.type = "{metric}" AND resource.type = "pubsub_subscription" '
            f"AND resource.labels.subscription_id = one_of({wanted})",
            "interval.startTime": (end - WINDOW).isoformat(),
            "interval.endTime": end.isoformat(),
        }
        for _ in range(_PAGES):
            answer = self._session.get(self._url, params=asked, timeout=self._timeout)
            if answer.status_code != 200:
                hint = ": it needs roles/monitoring.viewer" if answer.status_code in {401, 403} else ""
                raise OSError(f"status {answer.status_code}{hint}")
            page = answer.json()
            yield from page.get("timeSeries", ())
            if not page.get("nextPageToken"):
                return
            asked["pageToken"] = page["nextPageToken"]
        raise ValueError(f"more than {_PAGES} pages")

    def _tell(self, fault: str) -> None:
        """Log a fault once, and its end."""
        if fault and fault != self._fault:
            log.warning("it is not known how much waits: Cloud Monitoring does not tell", error=fault)
        elif self._fault and not fault:
            log.info("Cloud Monitoring tells how much waits again")
        self._fault = fault
