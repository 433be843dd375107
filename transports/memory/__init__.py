"""The transport for tests and trials: everything a broker does, nothing kept."""

from transports.memory.transport import MemoryTransport, create

__all__ = ["MemoryTransport", "create"]
