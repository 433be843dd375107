"""Brokers: one folder each, all behind the contract in ``worker.messaging.transport``."""
