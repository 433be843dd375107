"""The contest on Google Pub/Sub: ``python -m benchmarks pubsub [--peers]``."""

MEASURES = ("consume", "publish")
"""What can be measured."""
