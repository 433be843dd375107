"""What fills a message: in a module of its own, for the client that needs nothing else of the application."""

PAD = "x" * 180
"""Makes the data of a message about 200 bytes of JSON."""
