"""RabbitMQ over AMQP 0-9-1: aio-pika declares queues and looks at them, a small connection of our own does the rest.

Messages go over ``wire/``, which uses pamqp, the encoder under aio-pika. What that choice brings: one delivery costs a
few microseconds instead of eighty, many publishes leave in one write, and every fault (heartbeat, blocked,
cancelled, closed, half-open) is seen where it happens. What it costs: eight hundred lines of protocol to maintain,
whose hot half (deliver, ack, nack, publish and their content) is fixed by a standard that has not changed
since 2008.
"""
