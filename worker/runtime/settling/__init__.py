"""Settling: what becomes of a message that failed, copy first."""
