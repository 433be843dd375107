"""An HTTP proxy before a server that speaks SQS's protocol: it refuses, fails in part and lets credentials expire, as the service does."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping
from types import TracebackType
from typing import Any, Self, TypeVar

import aiohttp
from aiohttp import web

from tests.brokers import ports

T = TypeVar("T")

Fault = Callable[[str, dict[str, Any]], web.Response | None]
"""Answers a call itself, by its name and its arguments; None lets it through."""

_KEY = re.compile(r"Credential=([^/]+)/")
_GRACE = 10.0
_JSON = "application/x-amz-json-1.0"


class Gate:
    """Stands before one server; it runs in a thread of its own.

    Args:
        port: where the server is.
        listen: where clients connect; by default a free port.

    Attributes:
        fault: answers calls in place of the server.
        fails: ``Id`` of entries of batches that fail: they do not reach the server, and the answer says so.
        hides: likewise of entries that are done, and that the answer does not name.
        expired: every call is refused as one with credentials that have expired.
        calls: how often each action was called.
        refused: how many calls were refused for their credentials.
        rotations: how many credentials were given out.
        steady: seconds for which the same ones are given out again.
    """

    def __init__(self, port: int, listen: int | None = None) -> None:
        self.port = listen or ports.choose()
        self.fault: Fault | None = None
        self.fails: Callable[[str], bool] = lambda place: False
        self.hides: Callable[[str], bool] = lambda place: False
        self.expired = False
        self.calls: Counter[str] = Counter()
        self.refused = 0
        self.rotations = 0
        self._target = f"http://{ports.HOST}:{port}"
        self.steady = 0.0
        self._given: dict[str, float] = {}
        self._client: aiohttp.ClientSession
        self._runner: web.AppRunner
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"gate-{port}", daemon=True)

    @property
    def environment(self) -> Mapping[str, str]:
        """Where the SDK's chain finds credentials that are used up at once: each call asks for new ones."""
        return {"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"http://{ports.HOST}:{self.port}/credentials"}

    def __enter__(self) -> Self:
        self._thread.start()
        self._do(self._open())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._do(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def throttle(self, every: int) -> None:
        """Refuse each so-manieth call, as one too many."""
        count = 0

        def refuse(action: str, arguments: dict[str, Any]) -> web.Response | None:
            nonlocal count
            count += 1
            return refusal("RequestThrottled", "Rate exceeded") if count % every == 0 else None

        self.fault = refuse

    def clear(self) -> None:
        """End all faults."""
        self.fault = None
        self.fails = self.hides = lambda place: False
        self.expired = False

    async def _open(self) -> None:
        self._client = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        application = web.Application(client_max_size=4 * 1024**2)
        application.router.add_get("/credentials", self._credentials)
        application.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, ports.HOST, self.port).start()

    async def _close(self) -> None:
        await self._runner.cleanup()
        await self._client.close()

    async def _credentials(self, request: web.Request) -> web.Response:
        """Credentials that the SDK takes for used up: it asks again before the next call."""
        now = time.monotonic()
        if not self._given or now - self._given[f"KEY{self.rotations}"] >= self.steady:
            self.rotations += 1
            self._given[f"KEY{self.rotations}"] = now
        until = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=300)
        return web.json_response(
            {
                "AccessKeyId": f"KEY{self.rotations}",
                "SecretAccessKey": "secret",
                "Token": f"token-{self.rotations}",
                "Expiration": until.strftime("%Y-%m-%dT%H:%M:%SZ"),
            }
        )

    async def _answer(self, request: web.Request) -> web.Response:
        body = await request.read()
        action = request.headers.get("X-Amz-Target", "").rpartition(".")[2]
        self.calls[action] += 1
        key = _KEY.search(request.headers.get("Authorization", ""))
        if self.expired or (self._given and not self._valid(key[1] if key else "")):
            self.refused += 1
            return refusal("ExpiredToken", "The security token included in the request is expired", 403)
        arguments: dict[str, Any] = json.loads(body) if body else {}
        if self.fault is not None and (answer := self.fault(action, arguments)) is not None:
            return answer
        entries = arguments.get("Entries")
        failed: list[str] = []
        if entries is not None:
            failed = [each["Id"] for each in entries if self.fails(each["Id"])]
            arguments["Entries"] = [each for each in entries if each["Id"] not in failed]
            body = json.dumps(arguments).encode()
            if not arguments["Entries"]:
                return _json(_without({}, failed, self.hides))
        headers = {
            name: value
            for name, value in request.headers.items()
            if name.lower() not in {"host", "content-length"}
        }
        try:
            async with self._client.request(
                request.method, self._target + request.path_qs, data=body, headers=headers
            ) as answer:
                text, status = await answer.read(), answer.status
        except aiohttp.ClientError:
            return web.Response(status=502)
        if entries is not None and status == 200:
            return _json(_without(json.loads(text), failed, self.hides))
        return web.Response(body=text, status=status, content_type=_JSON)

    def _valid(self, key: str) -> bool:
        """Whether a key is the newest or the one before it, or was until some seconds ago: calls are on their way."""
        later = self._given.get(f"KEY{int(key.removeprefix('KEY') or 0) + 2}") if key in self._given else 0.0
        return later is None or time.monotonic() - later < _GRACE

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)


def refusal(code: str, text: str, status: int = 400) -> web.Response:
    """An answer that says no."""
    return _json({"__type": f"com.amazonaws.sqs#{code}", "message": text}, status)


def _without(answer: dict[str, Any], failed: list[str], hides: Callable[[str], bool]) -> dict[str, Any]:
    answer["Successful"] = [each for each in answer.get("Successful") or () if not hides(each["Id"])]
    told = {"SenderFault": False, "Code": "InternalError", "Message": "try again"}
    answer["Failed"] = [*(answer.get("Failed") or ()), *({"Id": place, **told} for place in failed)]
    return answer


def _json(answer: Mapping[str, Any], status: int = 200) -> web.Response:
    return web.Response(body=json.dumps(answer).encode(), status=status, content_type=_JSON)
