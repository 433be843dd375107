"""The application that is measured: one resource on the rivals' table."""

from __future__ import annotations

from benchmarks.peers.resources.model import Book
from worker import App, Get, GetCollection

app = App("shelf")
app.resource(operations=[Get(), GetCollection()])(Book)
