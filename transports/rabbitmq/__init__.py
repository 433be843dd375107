"""RabbitMQ over AMQP 0-9-1: aio-pika sets up and looks, a small connection of our own publishes and consumes.

What is done per message goes over ``wire/``, with pamqp as its encoder. What that choice buys: one delivery
costs a few microseconds instead of eighty, many publishes leave in one write, and every fault (heartbeat,
blocked, cancelled, closed, half-open) is seen where it happens. What it costs: six hundred lines of protocol
to keep, whose hot half (deliver, ack, nack, publish and their content) is fixed by a standard that has not
changed since 2008. Queues, the ladder of delays and counts are asked for over aio-pika's connection
(``administration``), which is opened when first needed.
"""
