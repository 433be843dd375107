"""Holding: what keeps a worker from starting messages: a pause, a ramp, a breaker, an exclusive command."""
