"""A command line whose composition root is a fake, and a runner for it."""

import json
import logging
import os
from contextlib import asynccontextmanager
from types import SimpleNamespace

import msgspec
import pytest
import structlog
from click.testing import CliRunner

from worker import App, Context, Result, Sent
from worker.cli.invocation import Invocation
from worker.cli.product import Product
from worker.cli.program import program
from worker.errors import NotFound
from worker.failed.documents import FailedPage, GroupsPage
from worker.messaging.consumers import Controlled, PauseConsumers, ResumeConsumers
from worker.messaging.routing import plan
from worker.messaging.status import CommandStatus, ErrorDocument
from worker.messaging.transport import Features
from worker.tokens.document import KnownToken
from worker.tokens.messages import AddToken, DeleteToken, DeleteTokens, GetTokens, TokenAdded, Tokens

app = App("shop")


@app.command(key="order_id")
class PlaceOrder(msgspec.Struct, frozen=True):
    """A command with fields of several types."""

    order_id: str
    count: int = 1
    lines: list[str] = []


@app.command("mail.send", aliases=["mail.deliver"], track=False)
class SendMail(msgspec.Struct, frozen=True):
    """A command without fields, of which no status is kept."""


@app.query
class Find(msgspec.Struct, frozen=True):
    """A query."""

    text: str


@app.handler
async def place(command: PlaceOrder, context: Context) -> None:
    """Does nothing: the tests fake what handles."""


@app.handler
async def deliver(command: SendMail) -> None:
    """Does nothing: the tests fake what handles."""


@app.handler
async def find(query: Find) -> str:
    """Does nothing: the tests fake what handles."""
    return query.text


class Thing:
    """A class that conditions name."""


class Book(Thing):
    """One of them."""


export = app.action("export", groups={"initialize": 30, "load": 20})
app.action("import", groups={"read": 1})


@app.step(action="export", group="load", priority=10, when={"request_type": "rest&!json_api", "class": Thing})
@app.step(action="import", group="read", when={"format": "csv|json"})
class LoadThings:
    """Load what is asked for.

    Not shown.
    """

    def __init__(self):
        raise AssertionError("nothing is made")

    async def process(self, context):
        raise AssertionError("nothing is executed")


@app.step(action="export", group="initialize", when={"ready": "exists"})
async def begin(context):
    raise AssertionError("nothing is executed")


@app.step(priority=-1)
async def end(context):
    """Run behind everything."""


class FakeFailed:
    """Stands for the failure store's service; remembers what it was asked."""

    def __init__(self):
        self.known = ["a", "b"]
        self.calls = []

    async def list(self, chosen, limit=50, after=None):
        self.calls.append(("list", chosen, limit, after))
        return FailedPage(len(self.known), [], None)

    async def groups(self):
        return GroupsPage(0, [])

    async def show(self, failure_id):
        raise NotFound(f"no failed message {failure_id!r}")

    async def retry(self, ids):
        return self._done("retry", ids)

    async def retry_many(self, chosen):
        self.calls.append(("retry_many", chosen))
        return 2

    async def remove(self, ids):
        return self._done("remove", ids)

    async def remove_many(self, chosen):
        self.calls.append(("remove_many", chosen))
        return 2

    async def edit(self, failure_id, data, *, retry=False):
        self.calls.append(("edit", failure_id, data, retry))

    def _done(self, what, ids):
        known = [id for id in ids if id in self.known]
        self.calls.append((what, known))
        gone = [id for id in ids if id not in self.known]
        if gone:
            raise NotFound(f"no failed message {', '.join(gone)}")
        return len(known)


class NoTokens:
    """Of which none is stored."""

    async def named(self, name):
        return None


class FakeClient:
    """Stands for the client; remembers what was dispatched and answers what the test wants."""

    def __init__(self, service, settings, registry):
        self.tokens = NoTokens()
        self.service = service
        self.registry = registry
        self.routes = plan(registry, settings.routing, list(settings.transports)).by_type
        self.command_bus = self
        self.query_bus = self
        self.entropy = bytes
        self.status = self
        self.failed = service.failed

    def route_of(self, message):
        return self.routes[message.name].transport or "inline"

    async def dispatch(self, message, *stamps, id=None, key=None, correlation_id=None):
        if isinstance(message, AddToken | DeleteToken | DeleteTokens | GetTokens):
            done = Result(self.service.token(message))
            return SimpleNamespace(get=lambda kind: done)
        if isinstance(message, PauseConsumers | ResumeConsumers):
            if self.service.dispatch_error is not None:
                raise self.service.dispatch_error
            self.service.controlled.append(message)
            return SimpleNamespace(
                get=lambda kind: Result(Controlled(7, ("PlaceOrder",), self.service.changed))
            )
        declared = self.registry.by_class[type(message)]
        transport = self.route_of(declared)
        if self.service.dispatch_error is not None:
            raise self.service.dispatch_error
        number = len(self.service.sent)
        sent = SimpleNamespace(
            message=message,
            id=id or f"id-{number}",
            key=key,
            transport=transport,
            stamps={type(s): s for s in stamps},
        )
        self.service.sent.append(sent)
        stamp = Result(None) if transport == "inline" else Sent(transport, "q")
        return SimpleNamespace(
            id=sent.id, type=declared.name, get=lambda kind: stamp if isinstance(stamp, kind) else None
        )

    async def applied(self, version, seconds):
        self.service.waited = seconds
        lagging = self.service.lagging
        return SimpleNamespace(share=f"{3 - len(lagging)}/3", lagging=lagging)

    async def get(self, command_id):
        error = ErrorDocument("ValueError", "no") if self.service.state == "failed" else None
        return CommandStatus(
            id=command_id, type="PlaceOrder", status=self.service.state, transport="sqlite", queue="q", attempts=1,
            accepted_at=None, started_at=None, finished_at=None, error=error, paused=self.service.paused,
        )  # fmt: skip

    async def health(self):
        return {"healthy": self.service.healthy, "status": {"database": True, "transport.sqlite": self.service.healthy},
                "info": {"plugins": []}, "process": {"memory_used": 1}, "reasons": []}  # fmt: skip

    async def missing(self):
        return self.service.missing

    async def faults(self):
        return self.service.faults

    async def requests(self):
        return self.service.requests

    def unmade(self):
        return []

    async def setup(self):
        return ["queue q on sqlite"]

    def features(self):
        return {"sqlite": Features(ordering="key", lease=True, max_delay=float("inf"))}

    async def consumers(self):
        pause = self.service.pause
        return {"version": 0, "workers": [], "exclusive": self.service.exclusive, "consumers": [
            {"type": "PlaceOrder", "kind": "command", "transport": "sqlite", "queue": "q", "paused": bool(pause),
             "pause": pause, "applied": "2/3" if pause else "0/0", "lagging": ["host-1"] if pause else [], "ready": None, "in_flight": 0, "delayed": 0, "consumers": None, "failed": 3}]}  # fmt: skip

    def bus_table(self):
        return [("command", "dispatch", ["receive", "work"], 3)]

    def chain_table(self, type_name, on):
        return [("worker.route", 0, "", "", "built in", None)]


class FakeProduct(Product):
    """Stands for the composition root."""

    def __init__(self):
        self.sent = []
        self.failed = FakeFailed()
        self.state = "done"
        self.paused = False
        self.healthy = True
        self.dispatch_error = None
        self.controlled = []
        self.changed: tuple[str, ...] = ("PlaceOrder",)
        self.waited = None
        self.lagging = ()
        self.pause = None
        self.exclusive = None
        self.missing = []
        self.faults = []
        self.requests = {}
        self.tokens = {}
        self.token_messages = []
        self.open_error = None
        self.started = []
        self.supervised = None

    def token(self, message):
        self.token_messages.append(message)
        if isinstance(message, GetTokens):
            items = self.tokens.values()
            return Tokens(tuple(msgspec.convert(one, KnownToken, from_attributes=True) for one in items))
        if isinstance(message, DeleteTokens):
            gone, self.tokens = len(self.tokens), {}
            return gone
        if isinstance(message, DeleteToken):
            if message.id not in self.tokens:
                raise NotFound(f"no token {message.id!r} is stored")
            return self.tokens.pop(message.id)
        created = message.token.id not in self.tokens
        self.tokens[message.token.id] = message.token
        return TokenAdded(message.token.id, created, created or message.renew)

    def load_app(self, target, base):
        return app

    async def consume(self, settings, registry, options):
        self.started.append(("consume", options))
        return 0

    async def serve(self, settings, registry, options):
        self.started.append(("serve", options))
        return 0

    async def run(self, settings, registry, serve, consume):
        self.started.append(("run", serve, consume))
        return 0

    def supervise(self, arguments, processes, graceful_timeout, *, once):
        self.supervised = (list(arguments), processes, graceful_timeout, once)
        return 0

    @asynccontextmanager
    async def client(
        self, settings, registry, *, tables="require", queues=True, transports=None, absent=False
    ):
        self.asked_transports, self.asked_tables = transports, tables
        if self.open_error is not None:
            raise self.open_error
        yield FakeClient(self, settings, registry)

    async def missing_tables(self, settings):
        return ["table commands"]


class Typed:
    """A command line to type at: run it, look at what came."""

    def __init__(self, service):
        self.service = service
        self.answer = None

    def __call__(self, *arguments, input=None, environ=None):
        invocation = Invocation(product=self.service)
        if self.answer is not None:
            invocation = _Interactive(product=self.service)
            input = self.answer
        result = CliRunner().invoke(program, list(arguments), obj=invocation, input=input, env=environ)
        self.out, self.err, self.code = result.stdout, result.stderr, result.exit_code
        return self

    @property
    def json(self):
        return json.loads(self.out)


class _Interactive(Invocation):
    def interactive(self):
        return True


@pytest.fixture(autouse=True)
def logging_as_before():
    """Put logging back: a command line configures it for its whole process."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
def service():
    return FakeProduct()


@pytest.fixture
def worker(service, tmp_path, monkeypatch):
    """Type ``worker …`` in a folder with a configuration, against the fake."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("WORKER_")]:
        monkeypatch.delenv(name)
    (tmp_path / "worker.toml").write_text('app = "shop:app"\n')
    return Typed(service)
