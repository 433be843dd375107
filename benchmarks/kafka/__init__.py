"""The contest on Kafka: ``python -m benchmarks kafka [--peers]``."""

MEASURES = ("consume", "publish")
"""What can be measured."""
