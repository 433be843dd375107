"""Rivals of resources on tables: web frameworks with SQLAlchemy 2, written as their own documentation says."""
