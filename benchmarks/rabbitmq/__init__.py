"""The contest on RabbitMQ: ``python -m benchmarks rabbitmq [--peers]``."""

MEASURES = ("consume", "publish", "client", "intake", "latency", "idle")
"""What can be measured."""
