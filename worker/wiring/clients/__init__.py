"""Clients: sending from Python code that is no handler, with and without a loop."""
