"""What the stores of the suite keep: a book, and an account with a version."""

from __future__ import annotations

import enum
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from sqlalchemy import JSON, DateTime, Numeric, String, func
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Kind(enum.Enum):
    NOVEL = "novel"
    POEMS = "poems"


class Base(DeclarativeBase):
    pass


class Book(Base):
    __tablename__ = "books"

    id: Mapped[int] = mapped_column(primary_key=True)
    isbn: Mapped[str] = mapped_column(String(40), unique=True)
    title: Mapped[Annotated[str, Meta(min_length=1)]] = mapped_column(String(200))
    author: Mapped[str | None]
    year: Mapped[int | None]
    price: Mapped[Decimal | None] = mapped_column(Numeric(10, 2))
    kind: Mapped[Kind] = mapped_column(default=Kind.NOVEL)
    sold: Mapped[bool] = mapped_column(default=False)
    extra: Mapped[Any] = mapped_column(JSON, nullable=True)
    seen: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    made: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class Account(Base):
    __tablename__ = "accounts"

    id: Mapped[int] = mapped_column(primary_key=True)
    balance: Mapped[int] = mapped_column(default=0)
    owner: Mapped[str | None]
    version: Mapped[int] = mapped_column()
    __mapper_args__ = {"version_id_col": version}


class BookDocument(msgspec.Struct, kw_only=True):
    id: str
    isbn: Annotated[str, Meta(max_length=40)]
    title: Annotated[str, Meta(min_length=1, max_length=200)]
    author: str | None = None
    year: int | None = None
    price: Decimal | None = None
    kind: Kind = Kind.NOVEL
    sold: bool = False
    extra: Any = None
    seen: datetime | None = None
    made: datetime = msgspec.field(default_factory=lambda: datetime.now(UTC))


class AccountDocument(msgspec.Struct, kw_only=True):
    id: str
    balance: int = 0
    owner: str | None = None
    version: int
