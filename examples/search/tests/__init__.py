"""Tests of the example; they show how an application tests itself with ``worker.testing``."""
