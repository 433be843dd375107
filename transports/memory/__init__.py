"""The transport for tests and trials: everything a broker does, nothing kept.

A queue is a heap of what is ready and a heap of what waits for its time (``queue``), so that order, priorities, delays,
leases, lanes of keys and counts are as exact as on the best of the brokers: where something passes here and fails on a
broker, the broker is the reason. Messages are encoded as for any broker, so that a test finds what cannot be encoded. The
clock is given to it: tests move it and call ``wake`` instead of sleeping. It belongs to one process and one loop; what it
holds is gone when they end.
"""

from transports.memory.transport import MemoryTransport, create

__all__ = ["MemoryTransport", "create"]
