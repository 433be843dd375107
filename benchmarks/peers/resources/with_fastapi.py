"""FastAPI with SQLAlchemy 2: ``python -m benchmarks.peers.resources.with_fastapi PORT``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends, FastAPI, HTTPException
from pydantic import BaseModel, ConfigDict
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from benchmarks.peers.resources.model import Book
from benchmarks.peers.resources.server import engine, serve

app = FastAPI()
sessions = async_sessionmaker(engine(), expire_on_commit=False)


class BookOut(BaseModel):
    """A book as it is answered."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    title: str
    author: str
    year: int | None
    summary: str
    added: datetime


class PageOut(BaseModel):
    """A page of books."""

    items: list[BookOut]
    total: int


async def session_of() -> AsyncIterator[AsyncSession]:
    """Give each request a session."""
    async with sessions() as session:
        yield session


Session = Annotated[AsyncSession, Depends(session_of)]


@app.get("/livez")
async def alive() -> None:
    """Say that it is up."""


@app.get("/books/{id}", response_model=BookOut)
async def one(id: int, session: Session) -> Any:
    """Answer a book."""
    book = await session.get(Book, id)
    if book is None:
        raise HTTPException(404)
    return book


@app.get("/books", response_model=PageOut)
async def page(session: Session, limit: int = 30, after: int = 0) -> Any:
    """Answer a page of books, and how many there are."""
    found = select(Book).where(Book.id > after).order_by(Book.id).limit(limit)
    books = (await session.scalars(found)).all()
    total = await session.scalar(select(func.count()).select_from(Book))
    return {"items": books, "total": total}


if __name__ == "__main__":
    serve(app)
