"""The contest on RabbitMQ: ``python -m benchmarks rabbitmq [--peers]``."""
