"""The contest on Google Pub/Sub: ``python -m benchmarks pubsub [--peers]``."""
