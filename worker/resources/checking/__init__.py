"""Checks of what an application declares about its resources, at start, all faults at once; a kind a file."""
