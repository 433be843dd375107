"""Customers that order by HTTP until each has an answer, whatever happens to the server meanwhile."""

from __future__ import annotations

import itertools
import threading
import time

import httpx

from tests.e2e.waiting import until

LANES = 12


class Orders:
    """Posts an order for each number from 1, in a thread a lane, until stopped."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._numbers = itertools.count(1)
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._lane) for _ in range(LANES)]
        self.taken: set[int] = set()
        self.refused: set[int] = set()
        self.repeated = 0
        self.odd: list[str] = []

    def __enter__(self) -> Orders:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Let each lane finish its order."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def until_more(self, number: int) -> None:
        """Wait until so many more are taken."""
        goal = len(self.taken) + number
        until(lambda: len(self.taken) >= goal, f"{number} more orders are taken", 120)

    def _lane(self) -> None:
        with httpx.Client(base_url=self._url, timeout=30, trust_env=False) as http:
            while not self._stop.is_set():
                with self._lock:
                    number = next(self._numbers)
                self._order(http, number)

    def _order(self, http: httpx.Client, number: int) -> None:
        end = time.monotonic() + 120
        while time.monotonic() < end:
            try:
                status = http.post(f"/orders/{number}").status_code
            except httpx.HTTPError:
                status = 0
            if status in {202, 409}:  # the second: an answer was lost, and the order was not
                self.taken.add(number)
                return
            if status == 422:
                self.refused.add(number)
                return
            if status not in {0, 503}:
                self.odd.append(f"{number}: {status}")
                return
            self.repeated += 1
            time.sleep(0.05)
        self.odd.append(f"{number}: no answer")
