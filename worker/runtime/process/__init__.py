"""The process: its signals, its parent and children, its limits of the system, and its end."""
