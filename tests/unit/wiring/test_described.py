"""``worker schema openapi`` has resources, too, without a connection to anything."""

from __future__ import annotations

from pathlib import Path

import msgspec
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from worker import App, Post
from worker.cli.product import Product
from worker.resources import Documents
from worker.settings import DatabaseSettings, Settings, TransportSettings


def test_the_document_has_the_operations_of_every_kind_of_resource(tmp_path: Path) -> None:
    class Base(DeclarativeBase): ...

    class Row(Base):
        __tablename__ = "rows"
        id: Mapped[int] = mapped_column(primary_key=True)
        text: Mapped[str]

    class Page(msgspec.Struct):
        id: str
        text: str

    class Plain(msgspec.Struct):
        text: str

    app = App("library")
    app.resource(Row)
    app.resource(store=Documents("pages"))(Page)
    app.resource(operations=[Post()])(Plain)
    settings = Settings(
        base=tmp_path,
        database=DatabaseSettings(url="postgresql://nowhere/none"),
        transports={"memory": TransportSettings(url="memory://")},
    )
    document = Product().openapi(settings, app.registry())
    assert {"/rows", "/rows/{id}", "/pages", "/pages/{id}", "/plains", "/docs.jsonld"} <= document[
        "paths"
    ].keys()
    assert document["paths"]["/rows/{id}"].keys() >= {"get", "put", "patch", "delete"}
