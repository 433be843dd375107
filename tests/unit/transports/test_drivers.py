"""What is used of drivers beyond what they show is there, and stands in one place; a driver is pinned to that version.

When a part is gone here, look into the driver's new version what has come in its place, before the pin is moved.
"""

from __future__ import annotations

import ast
import inspect
import re
import tomllib
from importlib.metadata import version
from pathlib import Path

import aiosqlite
import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.client import AIOKafkaClient
from aiokafka.consumer.fetcher import Fetcher, FetchResult, PartitionRecords
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.producer.sender import Sender
from pymongo.errors import PyMongoError
from sqlalchemy.engine.default import DefaultDialect
from starlette.requests import Request

from transports.kafka import driver

ROOT = Path(__file__).parents[3]

PARTS = {
    AIOKafkaConsumer: ["_client", "_coordinator", "_fetcher"],
    AIOKafkaProducer: ["client", "_sender"],
    AIOKafkaAdminClient: ["_client", "_send_request", "find_coordinator"],
    AIOKafkaClient: ["_conns", "_sync_task", "set_topics"],
    GroupCoordinator: ["generation", "_coordination_task", "_heartbeat_task", "_commit_refresh_task"],
    Fetcher: ["_records", "_fetch_task", "_pending_tasks"],
    FetchResult: ["_partition_records"],
    PartitionRecords: ["_consumer_record"],
    Sender: ["sender_task"],
    aiosqlite.Connection: ["_connect", "_connection", "_conn", "_execute", "_thread", "stop"],
    asyncpg.Connection: ["_transport"],
    DefaultDialect: ["_on_connect_isolation_level"],
    Request: ["_body"],
    PyMongoError: ["_message"],
}
"""Of each class, what is used."""

FILES = {
    "worker/http/resources/stages/deserialize.py",
    "worker/keepalive.py",
    "worker/mongo/refusals.py",
    "worker/state/sqlite_connection.py",
    "worker/state/sessions/joining.py",
    "worker/wiring/clients/sync.py",
}
"""The files that may beside each transport's ``driver.py``; the last one into the client's, which is the house's own."""

OWN = {"_replace", "_asdict", "_exit", "_getframe", "_current_frames", "_register_task", "_unregister_task"}
"""Names that begin so and are public: of tuples with names, and of the standard library."""


@pytest.mark.parametrize(
    ("kind", "part"), [pytest.param(kind, part, id=part) for kind, parts in PARTS.items() for part in parts]
)
def test_the_part_is_there(kind: type, part: str) -> None:
    """As a member of its class, or set by it."""
    assert hasattr(kind, part) or re.search(rf"\bself\.{part}\b[^=\n]*= ", inspect.getsource(kind)), (
        f"{kind.__module__}.{kind.__name__} has no {part}"
    )


def test_the_parts_that_are_functions_take_what_they_are_given() -> None:
    """Of modules that the driver does not document."""
    assert driver.murmur2(b"21") == 3321034988
    assert {"host", "port", "request_timeout_ms"} <= set(inspect.signature(driver.create_conn).parameters)
    assert list(inspect.signature(PartitionRecords._consumer_record).parameters) == ["self", "tp", "record"]
    given = inspect.signature(AIOKafkaAdminClient._send_request).parameters
    assert list(given)[:3] == ["self", "request", "node_id"]


@pytest.mark.parametrize("name", ["aiokafka", "aiosqlite", "asyncpg"])
def test_the_driver_is_pinned_to_its_minor_version(name: str) -> None:
    """A new one is looked at before it is taken."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [project["dependencies"], *project["optional-dependencies"].values()]
    (found,) = [one for group in wanted for one in group if re.match(rf"{name}\b", one)]
    major, minor, *_ = version(name).split(".")
    assert found.endswith(f",<{major}.{int(minor) + 1}")


@pytest.mark.slow
def test_they_stand_in_one_file_a_folder() -> None:
    """No other reaches into what is not its own: what it reads of another object's inside, its own file defines."""
    found = []
    for path in [*ROOT.glob("transports/**/*.py"), *ROOT.glob("worker/**/*.py")]:
        name = str(path.relative_to(ROOT))
        if path.name != "driver.py" and name not in FILES:
            found += [f"{name}:{line} {part}" for line, part in _reached_into(path.read_text())]
    assert found == []


def _reached_into(text: str) -> list[tuple[int, str]]:
    tree = ast.parse(text)
    nodes = list(ast.walk(tree))
    own = {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)} | OWN
    reads = []
    for node in nodes:
        if (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id in {"self", "cls"}
        ):
            own.add(node.attr)
        elif isinstance(node, ast.Attribute) and _is_inner(node.attr):
            reads.append((node.lineno, node.attr))
        elif (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in {"getattr", "hasattr"}
        ):
            part = node.args[1]
            if isinstance(part, ast.Constant) and _is_inner(str(part.value)):
                reads.append((node.lineno, str(part.value)))
    return [(line, part) for line, part in reads if part not in own]


def _is_inner(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")
