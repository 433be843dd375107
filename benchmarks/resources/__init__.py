"""Reads of resources on tables, next to FastAPI and Litestar with SQLAlchemy 2."""

MEASURES = {"one": "/books/500", "page": "/books"}
"""Path by measure."""
