"""What the worker costs next to the bare library doing the same: ``python -m benchmarks``."""
