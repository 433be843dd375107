"""Resources get their stores: the state's database for mapped classes, MongoDB for documents, or a fault at start."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Annotated, Any

import msgspec
import pytest
from msgspec import Meta
from sqlalchemy import String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from tests.unit.http.resources.serving import served
from worker import App, GetCollection, Patch, Post
from worker.errors import ConfigurationError, DatabaseUnavailable
from worker.resources import Documents, MessengerProcessor, PersistProcessor
from worker.settings import DatabaseSettings, Settings
from worker.settings.model import DocumentsSettings, ResourcesSettings
from worker.wiring.console import console
from worker.wiring.parts.needs import Needs
from worker.wiring.service import opened


class Base(DeclarativeBase):
    pass


class Book(Base):
    __tablename__ = "books"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(50), unique=True)


class Note(msgspec.Struct, kw_only=True):
    id: str
    title: Annotated[str, Meta(max_length=50)]
    year: int | None = None
    version: int


def mapped() -> App:
    app = App("library")
    app.resource(Book)
    return app


def documents(**options: Any) -> App:
    app = App("notes")
    app.resource(store=Documents("notes", version="version"), **options)(Note)
    return app


async def test_documents_without_an_address_are_a_fault_that_names_the_resource_and_the_key() -> None:
    with pytest.raises(ConfigurationError, match=r"Note.*documents\.url is not set.*mongodb://host/name"):
        async with served(documents()):
            pass


@pytest.mark.usefixtures("unclosed_sockets")
async def test_documents_of_a_server_that_does_not_answer_are_an_outage_at_start() -> None:
    settings = {
        "documents": DocumentsSettings(url="mongodb://u:geheim@127.0.0.1:1/x"),
        "worker": msgspec.structs.replace(Settings().worker, connect_timeout=2.0),
    }
    with pytest.raises(DatabaseUnavailable, match=r"u:\*\*\*@127") as raised:
        async with served(documents(), settings=settings):
            pass
    assert "geheim" not in str(raised.value)


@pytest.mark.usefixtures("unclosed_sockets")
async def test_documents_are_in_the_health_document(mongo_url: str, tmp_path: Path) -> None:
    async def asked(url: str) -> tuple[bool, str]:
        settings = Settings(
            documents=DocumentsSettings(url=url), database=DatabaseSettings(url=f"sqlite:///{tmp_path}/w.db")
        )
        async with console(settings, documents().registry(), tables="ignore", transports=()) as it:
            report = await it.health()
            reasons = [reason for reason in report.reasons if reason.startswith("documents")]
            return report.status["documents"], "; ".join(reasons)

    assert await asked(mongo_url) == (True, "")
    assert await asked("mongodb://u:geheim@127.0.0.1:1/x") == (False, "documents: no answer within 2 s")


async def test_documents_take_all_operations(mongo_url: str) -> None:
    settings = {"documents": DocumentsSettings(url=mongo_url)}
    async with served(documents(operations=None), settings=settings) as it:
        created = await it.http.post("/notes", json={"title": "Dune"})
        assert created.status_code == 201, created.text
        note = created.json()
        assert uuid.UUID(note["id"]).version == 7 and note["version"] == 1
        where = created.headers["location"]
        assert where == f"/notes/{note['id']}"
        assert (await it.http.get(where)).json() == note
        patched = (await it.http.patch(where, json={"year": 1965})).json()
        assert patched == {**note, "year": 1965, "version": 2}
        stale = await it.http.patch(where, json={"year": 1, "version": 1})
        assert stale.status_code == 409, stale.text
        replaced = (await it.http.put(where, json={"title": "Emma"})).json()
        assert replaced == {"id": note["id"], "title": "Emma", "year": None, "version": 3}
        page = (await it.http.get("/notes")).json()
        assert page == {"items": [replaced], "total": 1, "next": None}
        long = await it.http.post("/notes", json={"title": "x" * 51})
        assert (long.status_code, long.json()["errors"][0]["pointer"]) == (422, "/title")
        taken = await it.http.post("/notes", json={"id": note["id"], "title": "x"})
        assert (taken.status_code, taken.json()["errors"][0]["pointer"]) == (409, "/id")
        assert (await it.http.delete(where)).status_code == 204
        assert (await it.http.get(where)).status_code == 404


async def test_what_is_sent_with_a_change_of_documents_leaves_with_the_commit(mongo_url: str) -> None:
    app = documents(processor="Telling", operations=[Post(), Patch(), GetCollection()])

    @app.command
    class Tell(msgspec.Struct, frozen=True):
        title: str

    @app.handler
    async def tell(command: Tell) -> None: ...

    @app.processor
    class Telling:
        def __init__(self, persist: PersistProcessor, messenger: MessengerProcessor) -> None:
            self._persist, self._messenger = persist, messenger

        async def process(self, data: Any, operation: Any, uri_variables: Any, context: Any) -> Any:
            assert context["session"] is None
            stored = await self._persist.process(data, operation, uri_variables, context)
            await self._messenger.process(Tell(stored.title), operation, uri_variables, context)
            return stored

    async with served(app, settings={"documents": DocumentsSettings(url=mongo_url)}) as it:
        assert (await it.http.post("/notes", json={"title": "Dune"})).status_code == 201
        await it.worker.run_until_idle()
        assert it.worker.handled(Tell) == [Tell("Dune")]


async def test_missing_tables_on_sqlite_are_created_unless_that_is_switched_off() -> None:
    off = {"resources": ResourcesSettings(create_tables=False)}
    with pytest.raises(ConfigurationError, match=r"tables of resources: books; run: your migrations"):
        async with served(mapped(), settings=off):
            pass
    async with served(mapped()) as it:
        assert (await it.http.post("/books", json={"title": "Dune"})).status_code == 201


async def test_a_column_that_the_class_has_and_the_table_has_not_is_a_fault_at_start(tmp_path: Path) -> None:
    """Else each request would be a 500, and the reason in a log only."""

    class Other(DeclarativeBase):
        pass

    class Older(Other):
        __tablename__ = "books"
        id: Mapped[int] = mapped_column(primary_key=True)

    app = App("library")
    app.resource(Older)
    settings = Settings(base=tmp_path)
    async with opened(settings, app.registry()):
        pass
    with pytest.raises(
        ConfigurationError, match=r"columns of resources: books\.title; a table .* never altered; run: your"
    ):
        async with opened(settings, mapped().registry()):
            pass


async def test_tables_are_named_by_what_looks_and_by_what_creates(tmp_path: Path) -> None:
    """`worker check` says of tables, too, what a start would need, and `worker setup` what it has made."""
    settings = Settings(base=tmp_path)
    app = mapped()
    looking: Any = {"tables": "ignore", "queues": False, "absent": True}
    async with console(settings, app.registry(), **looking) as opening:
        assert "table books" in await opening.missing()
    async with console(settings, app.registry(), tables="create", queues=False) as opening:
        assert await opening.setup() == ["table books"]
    async with console(settings, app.registry(), **looking) as opening:
        assert (await opening.missing(), await opening.faults()) == ([], [])

    class Other(DeclarativeBase):
        pass

    class Newer(Other):
        __tablename__ = "books"
        id: Mapped[int] = mapped_column(primary_key=True)
        pages: Mapped[int]

    newer = App("library")
    newer.resource(Newer)
    async with console(settings, newer.registry(), **looking) as opening:
        (fault,) = await opening.faults()
        assert "books.pages" in fault and "migrations" in fault


async def test_a_table_that_is_still_to_be_made_lacks_no_columns(tmp_path: Path) -> None:
    """`worker check` names the table, where the database was there before the class was."""
    settings = Settings(base=tmp_path)
    async with opened(settings, App("library").registry()):
        pass
    async with console(settings, mapped().registry(), tables="ignore", queues=False, absent=True) as opening:
        assert (await opening.missing(), await opening.faults()) == (["table books"], [])


async def test_missing_tables_on_postgresql_are_a_fault_unless_they_are_to_be_created(
    postgres_url: str, tmp_path: Path
) -> None:
    settings = Settings(database=DatabaseSettings(url=postgres_url), base=tmp_path)
    registry = mapped().registry()
    with pytest.raises(ConfigurationError, match=r"tables of resources: books; run: your migrations"):
        async with opened(settings, registry):
            pass
    wanted = msgspec.structs.replace(settings, resources=ResourcesSettings(create_tables=True))
    async with opened(wanted, registry):
        pass
    async with opened(settings, registry, Needs(tables="require")):
        pass
