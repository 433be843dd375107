"""Litestar with SQLAlchemy 2: ``python -m benchmarks.peers.resources.with_litestar PORT``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime

import msgspec
from litestar import Litestar, get
from litestar.di import Provide
from litestar.exceptions import NotFoundException
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from benchmarks.peers.resources.model import Book
from benchmarks.peers.resources.server import engine, serve

sessions = async_sessionmaker(engine(), expire_on_commit=False)


class BookOut(msgspec.Struct):
    """A book as it is answered."""

    id: int
    title: str
    author: str
    year: int | None
    summary: str
    added: datetime


class PageOut(msgspec.Struct):
    """A page of books."""

    items: list[BookOut]
    total: int


async def session_of() -> AsyncIterator[AsyncSession]:
    """Give each request a session."""
    async with sessions() as session:
        yield session


def shown(book: Book) -> BookOut:
    """Make the answer of a book."""
    return BookOut(book.id, book.title, book.author, book.year, book.summary, book.added)


@get("/livez")
async def alive() -> None:
    """Say that it is up."""


@get("/books/{id:int}")
async def one(id: int, session: AsyncSession) -> BookOut:
    """Answer a book."""
    book = await session.get(Book, id)
    if book is None:
        raise NotFoundException
    return shown(book)


@get("/books")
async def page(session: AsyncSession, limit: int = 30, after: int = 0) -> PageOut:
    """Answer a page of books, and how many there are."""
    found = select(Book).where(Book.id > after).order_by(Book.id).limit(limit)
    books = (await session.scalars(found)).all()
    total = await session.scalar(select(func.count()).select_from(Book))
    return PageOut([shown(book) for book in books], total or 0)


app = Litestar([alive, one, page], dependencies={"session": Provide(session_of)})

if __name__ == "__main__":
    serve(app)
