"""What the worker is measured against: a program for each client library, as its own documentation would write it.

They run in an environment of their own and import nothing of the worker.
"""
