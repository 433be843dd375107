"""Reviews: documents, kept in MongoDB."""

from typing import Annotated

import msgspec
from msgspec import Meta

from examples.library.base import Name
from worker import App, Delete, Get, GetCollection, Patch, Post, Put
from worker.resources import Documents

part = App("library")


@part.resource(
    store=Documents("reviews"),
    operations=[
        Post(),
        Get(),
        GetCollection(filters={"book": "exact", "rating": "range", "text": "partial"}, order=("rating",)),
        Put(allow_create=True),
        Patch(),
        Delete(),
    ],
)
class Review(msgspec.Struct):
    """What a reader thinks of a book."""

    id: str
    book: int
    author: Name
    rating: Annotated[int, Meta(ge=1, le=5)]
    text: Annotated[str, Meta(max_length=5000)] = ""
    tags: list[Annotated[str, Meta(max_length=40)]] = []
