"""Blog posts: kept neither in SQL nor as documents, but by a processor and a provider of the application's own."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from examples.library.base import Title
from worker import App, Get, Post
from worker.resources import Operation

part = App("library")


def _file(slug: str) -> Path:
    folder = Path(os.environ.get("LIBRARY_POSTS", "var/posts"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{slug}.json"


@part.processor
class BlogPostProcessor:
    """Keeps a post as a file."""

    def process(
        self, data: Any, operation: Operation, uri_variables: Mapping[str, Any], context: Mapping[str, Any]
    ) -> Any:
        """Write it; the value returned is the answer."""
        path = _file(data.slug)
        path.with_suffix(".new").write_bytes(msgspec.json.encode(data))
        path.with_suffix(".new").replace(path)
        return data


@part.provider
class BlogPostProvider:
    """Reads posts from their files."""

    def provide(
        self, operation: Operation, uri_variables: Mapping[str, Any], context: Mapping[str, Any]
    ) -> Any:
        """Return the post; None is answered with 404."""
        slug = str(uri_variables["slug"])
        if (
            not slug.replace("-", "").isalnum()
            or not slug.isascii()
            or len(slug) > 60
            or not _file(slug).exists()
        ):
            return None
        return msgspec.json.decode(_file(slug).read_bytes(), type=BlogPost)


@part.resource(
    identifier="slug",
    operations=[Post(processor=BlogPostProcessor), Get(provider=BlogPostProvider)],
)
class BlogPost(msgspec.Struct):
    """What the library has to tell."""

    slug: Annotated[str, Meta(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$(?!\n)", max_length=60)]
    title: Title
    text: Annotated[str, Meta(max_length=10_000)] = ""
