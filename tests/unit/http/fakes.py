"""Stand-ins for everything behind the intake, in memory."""

import hashlib
from dataclasses import fields
from datetime import date
from types import SimpleNamespace

import msgspec

from worker import App
from worker.errors import Fault, InvalidMessage, NotFound, ScheduleFailed, UnknownType
from worker.failed.documents import ErrorType, FailedDocument, FailedPage, GroupDocument, GroupsPage
from worker.http.app import create_app
from worker.http.ports import (
    Callers,
    ConsumerPorts,
    HealthPorts,
    MessagePorts,
    Ports,
    RepeatPorts,
    RequestLimits,
)
from worker.messaging.bus import wrap
from worker.messaging.consumers import Controlled, PauseConsumers, ResumeConsumers
from worker.messaging.health import HealthReport
from worker.messaging.idempotency import Fresh, InProgress, Mismatch, Repeat
from worker.messaging.stamps import Result, Sent
from worker.messaging.status import CommandStatus, ErrorDocument
from worker.tokens.messages import AddToken, DeleteToken, DeleteTokens, GetTokens, TokenAdded, Tokens


class Place(msgspec.Struct, frozen=True):
    """Where something goes."""

    street: str
    number: int


class PlaceOrder(msgspec.Struct, frozen=True):
    """Places an order."""

    order_id: str
    lines: list[str]
    to: Place | None = None
    amount: float = 1.0


class CheckStock(msgspec.Struct, frozen=True):
    """Checks at once whether something is there."""

    sku: str


class OutOfStock(Exception):
    pass


class Search(msgspec.Struct, frozen=True):
    """Searches."""

    text: str
    limit: int = 10
    tags: list[str] = []
    exact: bool = False
    since: date | None = None


class Happened(msgspec.Struct, frozen=True):
    what: str


def make_registry():
    app = App("shop")
    app.command(key="order_id", aliases=["shop.place_order"])(PlaceOrder)
    app.command(errors={OutOfStock: 409})(CheckStock)
    app.query(errors={LookupError: 404}, cache=60)(Search)
    app.event(Happened)

    @app.handler
    async def place(command: PlaceOrder): ...

    @app.handler
    async def check(command: CheckStock): ...

    @app.handler
    async def search(query: Search): ...

    return app.registry()


class FakeBus:
    """Queues or answers, and remembers what it got; ``fails`` makes the next dispatches raise."""

    def __init__(self, registry, results=None):
        self.registry = registry
        self.envelopes = []
        self.fails = None
        self.results = results or {}

    async def dispatch(self, message, *stamps, **known):
        if isinstance(message, PauseConsumers | ResumeConsumers):
            return self._control(message)
        if isinstance(message, AddToken | DeleteToken | DeleteTokens | GetTokens):
            return self._tokens(message)
        declared = self.registry.by_class[type(message)]
        envelope = wrap(message, declared, "shop", lambda: 1_770_000_000.0, stamps=stamps, **known)
        self.envelopes.append(envelope)
        if self.fails is not None:
            raise self.fails
        if declared.kind == "query" or type(message) is CheckStock:
            return envelope.with_(Result(self.results.get(type(message))))
        return envelope.with_(Sent("memory", declared.name))

    def _tokens(self, message):
        if self.fails is not None:
            raise self.fails
        if isinstance(message, DeleteToken) and message.id == "nope":
            raise NotFound("no token 'nope' is stored")
        self.envelopes.append(message)
        results = {AddToken: TokenAdded("shop", created=True, renewed=True), GetTokens: Tokens(())}
        return SimpleNamespace(get=lambda stamp: Result(results.get(type(message))))

    def _control(self, message):
        if self.fails is not None:
            raise self.fails
        if "Nope" in message.types:
            raise UnknownType("Nope", ["PlaceOrder"])
        self.envelopes.append(message)
        types = message.types or ("PlaceOrder",)
        return SimpleNamespace(get=lambda stamp: Result(Controlled(7, types, types)))


class FakeStatus:
    """Statuses by id; a list is given out one after the other."""

    def __init__(self):
        self.known = {}
        self.asked = 0

    def put(self, id, *states):
        self.known[id] = [
            CommandStatus(
                id=id,
                type="PlaceOrder",
                status=state,
                transport="memory",
                queue="shop-place-order",
                attempts=1,
                accepted_at="2026-01-31T12:00:00.000Z",
                started_at=None,
                finished_at=None,
                error=None,
            )
            for state in states
        ]

    async def get(self, command_id):
        self.asked += 1
        states = self.known.get(command_id)
        if not states:
            return None
        return states.pop(0) if len(states) > 1 else states[0]

    async def get_many(self, command_ids):
        return {id: self.known[id][0] for id in command_ids if id in self.known}


class FakeFailed:
    """A failure store with one message."""

    id = "0194b9a0-0000-7000-8000-000000000001"

    def __init__(self):
        self.calls = []

    def document(self, **more):
        return FailedDocument(
            id=self.id,
            type="PlaceOrder",
            transport="memory",
            queue="shop-place-order",
            failed_at="2026-01-31T12:00:00.000Z",
            attempts=4,
            error=ErrorDocument("ValueError", "no"),
            group="g1",
            groups=("g1",),
            **more,
        )

    def _known(self, id):
        if id != self.id:
            raise NotFound(f"no failed message {id!r}")

    async def list(self, chosen, limit=50, after=None):
        self.calls.append(("list", chosen, limit, after))
        return FailedPage(1, [self.document()], None)

    async def groups(self):
        time = "2026-01-31T12:00:00.000Z"
        group = GroupDocument(
            group="g1",
            type="PlaceOrder",
            handler="h",
            error=ErrorType("ValueError"),
            count=1,
            first_at=time,
            last_at=time,
        )
        return GroupsPage(1, [group])

    async def show(self, failure_id):
        self._known(failure_id)
        return self.document(envelope=None, body_base64="eA==", history=())

    async def retry(self, ids):
        self._known(ids)
        self.calls.append(("retry", ids))
        return 1

    async def retry_many(self, chosen):
        self.calls.append(("retry_many", chosen))
        return 1

    async def remove(self, ids):
        self._known(ids)
        self.calls.append(("remove", ids))
        return 1

    async def edit(self, failure_id, data, *, retry=False):
        self._known(failure_id)
        if not isinstance(data, dict):
            raise InvalidMessage("PlaceOrder", [Fault("", "expected object")])
        self.calls.append(("edit", failure_id, data, retry))


class FakeSchedules:
    """One schedule, ``nightly``."""

    def __init__(self):
        self.calls = []
        self.fails = False

    async def document(self):
        item = {
            "name": "nightly",
            "cron": "0 3 * * *",
            "timezone": "UTC",
            "missed": "once",
            "paused": False,
            "pause": None,
            "next_at": "2026-01-01T03:00:00.000Z",
            "last_at": None,
            "last_id": None,
            "last_error": None,
        }
        return {"items": [item], "scheduler": None}

    async def pause(self, names, actor, reason=None):
        return self._called("pause", names, actor, reason)

    async def resume(self, names, actor):
        return self._called("resume", names, actor)

    async def run(self, name, actor):
        self._called("run", [name], actor)
        if self.fails:
            raise ScheduleFailed(f"schedule {name}: OSError: secret")
        return ("0190",)

    def _called(self, call, names, *facts):
        for name in names:
            if name != "nightly":
                raise NotFound(f"no schedule {name!r}")
        self.calls.append((call, *names, *facts))
        return list(names)


class FakeIdempotency:
    """Keys in a dictionary."""

    def __init__(self):
        self.rows = {}

    async def begin(self, key, body, message_id):
        digest = hashlib.sha256(body).digest()
        row = self.rows.get(key)
        if row is None:
            self.rows[key] = {"digest": digest, "id": message_id, "answer": None, "open": True}
            return Fresh(message_id, message_id)
        if row["digest"] != digest:
            return Mismatch()
        if row["answer"] is not None:
            return Repeat(row["answer"])
        if row["open"]:
            return InProgress()
        row["open"] = True
        return Fresh(row["id"], message_id, again=True)

    async def finish(self, key, claim, answer):
        self.rows[key]["answer"] = answer

    async def abandon(self, key, claim):
        self.rows[key]["open"] = False


_GROUPS = {
    "messages": MessagePorts,
    "repeats": RepeatPorts,
    "health": HealthPorts,
    "consumers": ConsumerPorts,
    "limits": RequestLimits,
    "callers": Callers,
}


def _grouped(given):
    """Put what is said by name into the group that it belongs to."""
    left = dict(given)
    groups = {
        group: kind(**{one.name: left.pop(one.name) for one in fields(kind) if one.name in left})
        for group, kind in _GROUPS.items()
    }
    return {**left, **groups}


class World:
    """An intake and all that stands behind it."""

    def __init__(self, **changes):
        self.registry = make_registry()
        self.commands = FakeBus(self.registry)
        self.queries = FakeBus(self.registry, {Search: {"hits": ["a"]}})
        self.status = FakeStatus()
        self.failed = FakeFailed()
        self.schedules = FakeSchedules()
        self.idempotency = FakeIdempotency()
        self.healthy = True
        self.reasons = []
        given = {
            "registry": self.registry,
            "command_bus": self.commands,
            "query_bus": self.queries,
            "inline": lambda declared: declared.cls is CheckStock,
            "status": self.status,
            "failed": self.failed,
            "schedules": self.schedules,
            "store": self.idempotency,
            "report": self._health,
            "ready": self._ready,
            "document": self._consumers,
            "applied": self._applied,
            "wait": 0.0,
            **changes,
        }
        self.ports = Ports(**_grouped(given))
        self.app = create_app(self.ports)

    async def _health(self):
        return HealthReport(healthy=self.healthy, status={"database": self.healthy})

    async def _ready(self):
        return self.reasons

    async def _consumers(self):
        return {"version": 0, "workers": [], "exclusive": None, "consumers": []}

    async def _applied(self, version, seconds):
        return SimpleNamespace(share="1/1", lagging=())
