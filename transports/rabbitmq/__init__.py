"""RabbitMQ over AMQP 0-9-1: a small connection of our own, with pamqp, the encoder of aio-pika and aiormq.

What that choice buys: one delivery costs a few microseconds instead of eighty, many publishes leave in one
write, every fault (heartbeat, blocked, cancelled, closed, half-open) is seen where it happens, and an idle
worker is 7 MiB smaller and started 60 ms sooner. What it costs: six hundred lines of protocol to keep in
``wire/``, whose hot half (deliver, ack, nack, publish and their content) is fixed by a standard that has not
changed since 2008. aio-pika is what the tests look at a broker with, so that no mistake of ours is judged by
itself.
"""
