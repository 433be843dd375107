"""The transport for tests and trials: everything a broker does, nothing kept.

A queue is a heap of what is ready and a heap of what waits for its time (``queue``), so that order, priorities, delays,
leases, lanes of keys and counts are as exact as on the best of the brokers: what passes here and fails elsewhere fails
for the broker's sake. Bodies are encoded all the same, as a test must find what cannot be. The clock is given to it:
tests move it and call ``wake``, and nobody sleeps. It belongs to one process and one loop, and what it held is gone
with them.
"""

from transports.memory.transport import MemoryTransport, create

__all__ = ["MemoryTransport", "create"]
