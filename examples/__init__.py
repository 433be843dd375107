"""Applications that show how the worker is used."""
