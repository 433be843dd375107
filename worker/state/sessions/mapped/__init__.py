"""Mapped classes of an application as resources: their shapes, and the store that keeps their objects on the state's database."""
