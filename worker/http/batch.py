"""``POST /commands``: many commands as NDJSON, each line for itself, lines sharing the broker's batches."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Mapping

import msgspec
from starlette.requests import Request

from worker.errors import Fault, UnknownType
from worker.http import documents
from worker.http.answer import Answer, answer_of
from worker.http.body import read_body, too_large
from worker.http.correlation import CORRELATION_ID, TRACEPARENT, correlation_id, traceparent
from worker.http.dispatch import Dispatch
from worker.http.endpoint import Body, Endpoint, Gives
from worker.http.explanation import explain, unknown_type
from worker.http.idempotency import IDEMPOTENCY_KEY, Repeats, key_of
from worker.http.media import NDJSON, is_ndjson
from worker.http.ports import Ports
from worker.http.problems import INVALID, UNSUPPORTED, Problem
from worker.messaging.door import admitted
from worker.messaging.identity import derive_id
from worker.messaging.line import Lines, Order
from worker.messaging.own_context import OwnContext
from worker.messaging.stamps import Delay, Sent
from worker.raising import is_failure
from worker.tokens.principal import Principal


class Batch:
    """Takes batches of commands."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._dispatch = Dispatch(ports)
        self._repeats = Repeats(ports)
        self._lines = Lines(self._dispatch.commands, self._dispatch.is_inline)

    async def __call__(self, request: Request) -> Answer:
        """Take what can be taken and answer line by line.

        The whole body is read before the first line is taken: one that turns out too large, or whose sender
        goes away midway, leaves nothing half done.
        """
        headers = dict(request.scope["headers"])
        if not is_ndjson(headers.get(b"content-type")):
            raise Problem(UNSUPPORTED, f"expected Content-Type {NDJSON}", headers=[("Accept", NDJSON)])
        body = await read_body(request.receive, headers, self._ports.limits.max_batch)
        principal: Principal = request.scope["principal"]
        key = headers.get(b"idempotency-key")
        if key is None:
            return await self._take(principal, body, headers, None)
        return await self._repeats.once(
            request.scope,
            key_of(key),
            body,
            lambda message_id: self._take(principal, body, headers, message_id),
        )

    async def _take(
        self, principal: Principal, body: bytes, headers: Mapping[bytes, bytes], parent: str | None
    ) -> Answer:
        correlation = correlation_id(headers.get(b"x-correlation-id"))
        trace = traceparent(headers.get(b"traceparent"))
        taken = 0
        out: list[bytes] = []

        async def run(number: int, raw: bytes) -> bytes:
            nonlocal taken
            given: str | None = None
            try:
                order = self._read(raw, principal)
                given = order.line.id or (derive_id(parent, number) if parent else None)
                envelope = await self._dispatch.take(
                    principal,
                    order.declared,
                    admitted(principal, order.declared, order.message),
                    stamps=[Delay(order.line.delay)] if order.line.delay else (),
                    id=given,
                    correlation_id=correlation,
                    key=order.line.key,
                    traceparent=trace,
                )
            except BaseException as error:
                if not is_failure(error):
                    raise
                problem = explain(error, self._ports.messages.retry_after).document()
                return msgspec.json.encode(
                    {"error": problem} if given is None else {"id": given, "error": problem}
                )
            taken += 1
            status = f"/commands/{envelope.id}" if envelope.get(Sent) is not None else "done"
            return msgspec.json.encode({"id": envelope.id, "type": envelope.type, "status": status})

        for chunk in self._lines.chunks(enumerate(io.BytesIO(body))):
            if len(chunk) == 1:
                out.append(await OwnContext(run(*chunk[0])))
            else:
                out.extend(await asyncio.gather(*(run(number, raw) for number, raw in chunk)))
        if not out:
            raise Problem(INVALID, "the batch has no line", errors=[Fault("", "expected at least one line")])
        content = b"\n".join(out) + b"\n"
        more = [("X-Correlation-Id", correlation)] if correlation else []
        return answer_of(202 if taken else 422, NDJSON, content, *more)

    def _read(self, raw: bytes, principal: Principal) -> Order:
        if len(raw) > self._ports.limits.max_body:
            raise too_large(self._ports.limits.max_body)
        try:
            return self._lines.read(raw, principal)
        except UnknownType as error:
            raise unknown_type(error.name, "command", self._dispatch.commands) from None


_TEXT = {"type": "string"}

ENDPOINTS = (
    Endpoint(
        "POST",
        "/commands",
        "send",
        Batch,
        id="post_commands",
        tag="commands",
        summary="Send many commands, one a line; each line fails alone",
        description="Each line is a BatchLine; each line of the answer has `id`, `type` and `status`, or `error`.",
        mentions=(documents.BatchLine,),
        parameters=(IDEMPOTENCY_KEY, CORRELATION_ID, TRACEPARENT),
        body=Body(_TEXT, media=(NDJSON,), example=lambda command: f'{{"type":"{command}","data":{{}}}}\n'),
        gives={
            202: Gives("At least one line was taken.", _TEXT, media=(NDJSON,)),
            # line by line; an empty batch, or a bad key, is a problem
            422: Gives("No line was taken.", _TEXT, media=(NDJSON,), or_problem=True),
        },
        problems=(400, 409, 413, 415, 503),
    ),
)
