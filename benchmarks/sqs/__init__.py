"""The contest on Amazon SQS: ``python -m benchmarks sqs [--peers]``."""

MEASURES = ("consume", "publish")
"""What can be measured."""
