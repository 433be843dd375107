"""The contest on Kafka: ``python -m benchmarks kafka [--peers]``."""
