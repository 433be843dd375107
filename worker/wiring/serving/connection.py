"""One connection of the HTTP server: uvicorn's, with bounds on how long and how much a client may take to ask."""

from __future__ import annotations

import sys
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from worker.http.answer import problem_answer
from worker.http.problems import HEAD_TOO_LARGE, MALFORMED, TOO_SLOW, UNAVAILABLE, Kind, Problem
from worker.runtime.own_tasks import application_context, hosting

KEEP_ALIVE = 75
"""Seconds for which an idle connection is kept: longer than clients and load balancers keep theirs (5 to 60), so that
it is never closed while the next request is on its way, whose fate its client would not know."""
PATIENCE = 30.0
"""Seconds in which a request's head must come, and within which its body must begin to come at ``SLOWEST`` at least."""
PATIENCE_AT_STOP = 3.0
SLOWEST = 1024
"""Bytes of a body a second."""
MAX_BESIDE = 512 * 1024
"""Bytes of a request that are no body: its head, what frames its chunks, trailers. One read takes half of it."""
SHARE = 0.75
"""Part of the files that this process may open which connections take at most: handlers, brokers and the database need
some, too."""
_on_body = HttpToolsProtocol.on_body
_FRAMES = (b"content-length", b"transfer-encoding")
_FRAMING = 8
"""Bytes that may come beside each byte of a body, for clients that send it in the smallest chunks."""


class Connection(HttpToolsProtocol):
    """A connection whose client may take its time, but not for ever, and may say much, but not without end.

    What uvicorn answers itself is a problem document.
    """

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._received = 0
        self._body = 0
        self._context = application_context()
        self._counted: object = None  # the head of the request whose bytes are counted
        self._awaited: object = self  # the part of a request that was missing at the last look
        self._since = 0.0

    def connection_made(self, transport: Any) -> None:
        """Take a client, as long as there is room for it."""
        super().connection_made(transport)
        if len(self.connections) > most_connections():
            self._end(UNAVAILABLE, "there are too many connections; come again later")

    def on_body(self, body: bytes) -> None:
        """Part of a body has come."""
        self._body += len(body)
        _on_body(self, body)

    def on_response_complete(self) -> None:
        """Go on with the next request. Idle connections are looked for once a second, which spares each request a timer."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        task = hosting(self._context, cycle.run_asgi(app))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def data_received(self, data: bytes) -> None:
        """Read on, as long as what comes beside the body is bounded: nothing else bounds heads and trailers."""
        before = self._body
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as offer:
            self._decline(offer, data)
        except httptools.HttpParserError:
            self.send_400_response("Invalid HTTP request received.")
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is not None and not cycle.more_body and cycle.scope is self.scope:
            self._received = self._body = 0  # it came whole, and no other has begun
            return
        if self.scope is not self._counted:
            self._counted, self._received, self._body = self.scope, 0, self._body - before
        self._received += len(data)
        if self._received - _FRAMING * self._body > MAX_BESIDE and not self.transport.is_closing():
            text = f"head, chunks and trailers of the request are larger than {MAX_BESIDE} bytes"
            self._end(HEAD_TOO_LARGE, text)

    def look(self, now: float, *, stopping: bool = False) -> None:
        """Close it where the client has let us wait too long; to be called once a second."""
        awaited, patience = self._missing()
        if awaited is not self._awaited:
            self._awaited, self._since = awaited, now
        if awaited is None or self.transport.is_closing():
            return
        if stopping:
            patience = PATIENCE_AT_STOP
        if now - self._since > patience + self._body / SLOWEST:
            if self._idle():
                self.transport.close()
            else:
                self._end(TOO_SLOW, "the request did not come to its end in time")

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP."""
        self._end(MALFORMED, f"this is no HTTP request: {msg}")

    def _decline(self, offer: httptools.HttpParserUpgrade | None, rest: bytes) -> None:
        """Stay with HTTP/1.1 where a client offers another protocol, as it may be refused (RFC 9110, 7.8).

        Java's client offers ``h2c`` with every request. The parser takes what follows for the other protocol, and
        would drop the body: another parser, told how the body is framed, reads it.
        """
        while offer is not None:
            rest, offer = rest[offer.args[0] :], None
            self._start_over()
            if rest:
                try:
                    self.parser.feed_data(rest)
                except httptools.HttpParserUpgrade as another:
                    offer = another
                except httptools.HttpParserError:
                    self.send_400_response("Invalid HTTP request received.")

    def _start_over(self) -> None:
        """Read on with another parser: the body of the request whose head has come, where it has one."""
        framed = [b"%b: %b\r\n" % header for header in self.headers if header[0] in _FRAMES]
        reader = _Reader(self)
        self.parser = httptools.HttpRequestParser(reader)
        if framed:
            self.cycle.more_body = True
            self.cycle.message_event.clear()
            self.parser.feed_data(b"POST / HTTP/1.1\r\n" + b"".join(framed) + b"\r\n")
        reader.told = True

    def _missing(self) -> tuple[object | None, float]:
        """The part of a request that has not come yet, None where nothing is waited for; and for how long it may miss."""
        cycle: RequestResponseCycle | None = (
            self.cycle
        )  # uvicorn's types know no connection without a request
        if cycle is not None and not cycle.response_complete:
            # where we do not read, it is not the client that is slow
            asked = cycle.more_body and not self.pipeline and not self.flow.read_paused
            return (cycle if asked else None), PATIENCE
        scope: Any = self.scope
        if scope is None:
            return self.transport, KEEP_ALIVE  # nothing was said yet
        return scope, (KEEP_ALIVE if "method" in scope else PATIENCE)

    def _idle(self) -> bool:
        """Whether the last request is answered and no other has begun; the rest of its body may be missing."""
        cycle: RequestResponseCycle | None = (
            self.cycle
        )  # uvicorn's types know no connection without a request
        return cycle is not None and cycle.response_complete and cycle.scope is self.scope

    def _end(self, kind: Kind, text: str) -> None:
        """Close it, with an answer where none is on its way."""
        cycle: RequestResponseCycle | None = (
            self.cycle
        )  # uvicorn's types know no connection without a request
        if not self.pipeline and (cycle is None or cycle.response_complete or not cycle.response_started):
            answer = problem_answer(Problem(kind, text, headers=[("Connection", "close")]))
            lines = [b"%b: %b\r\n" % header for header in answer.headers]
            self.transport.write(b"".join([STATUS_LINE[answer.status], *lines, b"\r\n", answer.body]))
        if cycle is not None:
            cycle.disconnected = True
            cycle.message_event.set()
        self.transport.close()


class _Reader:
    """What a second parser of a connection tells: the connection knows the first head, which only says how a body is framed."""

    def __init__(self, connection: Connection) -> None:
        self.told = False
        self._connection = connection
        self.on_body = connection.on_body
        self.on_message_complete = connection.on_message_complete

    def on_message_begin(self) -> None:
        if self.told:
            self._connection.on_message_begin()

    def on_url(self, url: bytes) -> None:
        if self.told:
            self._connection.on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.told:
            self._connection.on_header(name, value)

    def on_headers_complete(self) -> None:
        if self.told:
            self._connection.on_headers_complete()


def most_connections() -> int:
    """How many clients may be connected at once."""
    try:
        import resource
    except ImportError:  # there is none on Windows
        return sys.maxsize
    files, unlimited = resource.getrlimit(resource.RLIMIT_NOFILE)[0], resource.RLIM_INFINITY
    return sys.maxsize if files == unlimited else int(files * SHARE)
