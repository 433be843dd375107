"""AMQP 0-9-1 over asyncio: hot frames are written and read by code here, the rest by pamqp."""
