"""Reads of resources on tables, next to FastAPI and Litestar with SQLAlchemy 2."""
