"""AMQP 0-9-1 over asyncio: what is hot is written and cut by hand, the rest is encoded and decoded by pamqp."""
