"""Declaring: what the decorators of an application note down, and what is checked of it at start, one kind a file."""
