"""Books: a resource with everything that a resource has, stored in a table."""

from sqlalchemy.orm import Mapped, mapped_column

from examples.library.base import Base, Name, Title, Year
from worker import App, Delete, Get, GetCollection, Patch, Post, Put

part = App("library")


@part.resource(
    operations=[
        Post(),
        Get(),
        GetCollection(
            filters={"author": "exact", "title": "partial", "year": "range"},
            order=("title", "year"),
        ),
        Put(),
        Patch(),
        Delete(),
    ]
)
class Book(Base):
    """A book that can be borrowed."""

    __tablename__ = "books"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[Title]
    author: Mapped[Name]
    year: Mapped[Year | None]
    isbn: Mapped[str | None] = mapped_column(unique=True)
