"""Names of what stands behind one queue of the application."""

from __future__ import annotations

import re

import msgspec

_LEGAL = re.compile(r"[A-Za-z][A-Za-z0-9._~+%-]{2,254}")
_PROJECT = re.compile(r"([a-z0-9.-]+:)?[a-z0-9][a-z0-9-]{2,61}[a-z0-9]")


class Names(msgspec.Struct, frozen=True):
    """Names in one project; a topic and its subscription are named alike.

    Attributes:
        project: id of the project.
        prefix: keeps several environments apart.
    """

    project: str
    prefix: str = ""

    def name(self, queue: str) -> str:
        """The short name of a queue's topic and subscription."""
        return f"{self.prefix}.{queue}" if self.prefix else queue

    def topic(self, queue: str) -> str:
        """The full name of a queue's topic."""
        return f"projects/{self.project}/topics/{self.name(queue)}"

    def subscription(self, queue: str) -> str:
        """The full name of a queue's subscription."""
        return f"projects/{self.project}/subscriptions/{self.name(queue)}"


def dead(queue: str) -> str:
    """The queue where Pub/Sub puts what was handed out too often."""
    return f"{queue}.dead"


def fault(name: str) -> str | None:
    """Say what is wrong with the short name of a topic; None when Pub/Sub takes it."""
    if name.startswith("goog"):
        return f"topic {name!r}: names that start with 'goog' belong to Google"
    if not _LEGAL.fullmatch(name) or not _LEGAL.fullmatch(dead(name)):
        return f"topic {name!r}: Pub/Sub takes 3 to 250 letters, digits, '-', '.', '_', '~', '+' and '%', a letter first"
    return None


def is_project(text: str) -> bool:
    """Whether this can be the id of a project."""
    return _PROJECT.fullmatch(text) is not None
