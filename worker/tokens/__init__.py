"""Tokens: who may send what; rules alone, without I/O."""
