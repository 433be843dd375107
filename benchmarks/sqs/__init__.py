"""The contest on Amazon SQS: ``python -m benchmarks sqs [--peers]``."""
