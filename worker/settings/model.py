"""The settings as values; each key's description is what a fault says was expected."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from worker.seconds import CENTURY, LONGEST

INLINE = "inline"
"""The word that stands where a transport's name could: handled at once, never queued."""

Text = Annotated[str, Meta(min_length=1, description="text")]
Flag = Annotated[bool, Meta(description="true or false")]
Port = Annotated[int, Meta(ge=0, le=65535, description="a port, 0 to 65535")]
MOST_SLOTS = 100_000
"""Handlers that one process runs at once, at most: each slot takes memory before anything is handled."""
Slots = Annotated[int, Meta(ge=1, le=MOST_SLOTS, description=f"a whole number, 1 to {MOST_SLOTS}")]
Count = Annotated[int, Meta(ge=1, description="a whole number, 1 or more")]
Bytes = Annotated[int, Meta(ge=1, description="bytes, 1 or more")]
Seconds = Annotated[float, Meta(ge=0, le=CENTURY, description=f"seconds, 0 to {CENTURY:.0f}")]
Delay = Annotated[float, Meta(ge=0, le=LONGEST, description=f"seconds, 0 to {LONGEST:.0f}")]
SomeSeconds = Annotated[
    float, Meta(gt=0, le=CENTURY, description=f"seconds, more than 0, at most {CENTURY:.0f}")
]
AppName = Annotated[
    str,
    Meta(pattern=r"^[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*(\.[^\W\d]\w*)*$", description="module:attribute"),
]
Names = Annotated[tuple[Text, ...], Meta(description='a list of names, like ["search"]')]
DatabaseUrl = Annotated[
    str,
    Meta(
        pattern=r"^(sqlite|postgresql)://",
        description="sqlite:///path or postgresql://user:password@host/name",
    ),
]
DocumentsUrl = Annotated[
    str,
    Meta(
        pattern=r"^mongodb(\+srv)?://",
        description="mongodb://user:password@host/name",
    ),
]
TransportUrl = Annotated[
    str,
    Meta(
        pattern=r"^[a-z][a-z0-9+.\-]*://",
        description="a URL whose scheme says what it is, like sqlite:///var/queue.db",
    ),
]
Secret = Annotated[
    str,
    Meta(
        pattern=r"^([!-~]{16,1024})?$(?!\n)",
        description="16 or more visible ASCII characters without spaces, or nothing",
    ),
]
EventsMode = Annotated[Literal["queue", "inline", "ignore"], Meta(description="queue, inline or ignore")]


class DatabaseSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where state is kept: failed messages, inbox, outbox, status of commands.

    ``statement_timeout`` is what one statement of a handler may take on PostgreSQL, seconds; with five more it is
    how long a server that fell silent is believed.
    """

    url: DatabaseUrl = "sqlite:///var/worker.db"
    statement_timeout: SomeSeconds = 20.0


class HttpSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The intake: where it listens, and the most it takes.

    ``max_body`` and ``max_batch`` are bytes of one message and of one NDJSON request; ``max_wait`` is the
    longest ``Prefer: wait``, seconds. ``trust_gateway``: in a container, answer without a token also the
    machine that runs it, and listen on any address; for a port that is published on that machine's loopback.
    """

    host: Text = "127.0.0.1"
    port: Port = 8000
    max_body: Bytes = 1_048_576
    max_batch: Bytes = 16_777_216
    max_wait: Seconds = 60.0
    trust_gateway: Flag = False


class TransportSettings(msgspec.Struct, frozen=True, kw_only=True):
    """One connection to a broker.

    ``lease`` is seconds after which a dead worker's messages are handed out again, None for the transport's
    own. ``options`` are all other keys of its table: the transport knows and checks them.
    """

    url: TransportUrl
    lease: SomeSeconds | None = None
    options: dict[str, Any] = {}


class EventsSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of recorded domain events, and of those that a handler recorded before it failed."""

    mode: EventsMode = "queue"
    deliver_on_error: Flag = False


class WorkerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """A process: handlers at once, and how long it waits when it starts and stops, in seconds."""

    concurrency: Slots = 16
    graceful_timeout: Seconds = 30.0
    connect_timeout: SomeSeconds = 10.0
    health_port: Port | None = None


class RetrySettings(msgspec.Struct, frozen=True, kw_only=True):
    """The retry policy of messages that declare none."""

    max_retries: Annotated[int, Meta(ge=0, description="a whole number, 0 or more")] = 3
    delay: Delay = 1.0
    multiplier: Annotated[float, Meta(ge=1, description="a number, 1 or more")] = 2.0
    max_delay: Delay = 3600.0
    jitter: Annotated[float, Meta(ge=0, le=1, description="a share, 0 to 1")] = 0.1


class RampSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How the fleet takes up a queue's work again after a pause.

    ``enabled`` whether step by step at all; ``after`` seconds of pause from which on; ``rate`` how many
    messages it starts in the first second, and how many more in each further one; ``tolerance`` the share that
    may fail without slowing it.
    """

    enabled: Flag = True
    after: Seconds = 60.0
    rate: Annotated[float, Meta(gt=0, description="messages a second, more than 0")] = 30.0
    tolerance: Annotated[float, Meta(ge=0, lt=1, description="a share, 0 to less than 1")] = 0.02


class TokensSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens that need no database, by their secrets, and for how long an intake process believes what it knows of others.

    ``root`` may do everything, ``read_only`` looks at everything and asks queries, ``ping`` asks how the service is; one
    that is empty does not exist. ``cache`` is seconds.
    """

    root: Secret | None = None
    read_only: Secret | None = None
    ping: Secret | None = None
    cache: Annotated[float, Meta(ge=0, le=3600, description="seconds, 0 to 3600")] = 2.0

    def __repr__(self) -> str:
        """Name what is there, without the secrets."""
        return f"TokensSettings({', '.join(self.secrets())})"

    def secrets(self) -> dict[str, str]:
        """The secrets that there are, by the ids of their tokens."""
        given = {"root": self.root, "read_only": self.read_only, "ping": self.ping}
        return {id: secret for id, secret in given.items() if secret}


class StatusSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Status of commands: how long it is kept, seconds, and whether it is kept at all."""

    keep: Seconds = 7 * 86_400.0
    track: Flag = True


class ChainsSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Steps that are declared in YAML files; relative ones are from the configuration file's folder."""

    files: Annotated[tuple[Text, ...], Meta(description='a list of YAML files, like ["processors.yml"]')] = ()


class DocumentsSettings(msgspec.Struct, frozen=True, kw_only=True):
    """MongoDB, where resources are kept as documents; the database is ``worker`` where the URL names none."""

    url: DocumentsUrl | None = None


class ResourcesSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Resources on an application's own tables.

    ``create_tables``: whether missing ones are created when tables are; None for on SQLite only. None is ever altered.
    """

    create_tables: Flag | None = None


def default_transports() -> dict[str, TransportSettings]:
    """Transports of a service that configures none: the embedded one."""
    return {"sqlite": TransportSettings(url="sqlite:///var/queue.db")}


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """All settings, checked.

    Attributes:
        app: the application as ``module:attribute``; None when none is named.
        plugins: names of those that are on beside what the application includes.
        database: where state is kept.
        http: the intake.
        transports: by name.
        routing: transport name or ``inline`` by type, group or pattern, in the order given.
        events: what becomes of domain events.
        worker: the consumer process.
        retry: the default retry policy.
        ramp: how work is taken up again after a pause.
        status: status of commands.
        documents: where resources are kept as documents.
        resources: those on the application's own tables.
        tokens: those that need no database, and what is believed of others.
        chains: steps in files.
        base: folder of the configuration file, the current folder without one; ``load`` has resolved
            relative SQLite paths from it.
        file: the configuration file, None without one.
    """

    app: AppName | None = None
    plugins: Names = ()
    database: DatabaseSettings = DatabaseSettings()
    http: HttpSettings = HttpSettings()
    transports: dict[str, TransportSettings] = msgspec.field(default_factory=default_transports)
    routing: dict[str, str] = msgspec.field(default_factory=lambda: {"*": "sqlite"})
    events: EventsSettings = EventsSettings()
    worker: WorkerSettings = WorkerSettings()
    retry: RetrySettings = RetrySettings()
    ramp: RampSettings = RampSettings()
    status: StatusSettings = StatusSettings()
    documents: DocumentsSettings = DocumentsSettings()
    resources: ResourcesSettings = ResourcesSettings()
    tokens: TokensSettings = TokensSettings()
    chains: ChainsSettings = ChainsSettings()
    base: Path = msgspec.field(default_factory=Path.cwd)
    file: Path | None = None
