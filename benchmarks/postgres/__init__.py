"""The worker on PostgreSQL, next to the same claims and inserts on the bare driver."""

MEASURES = ("consume", "publish")
"""What can be measured."""
