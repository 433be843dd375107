"""The parts of a service: one feature a file, with a small frozen struct and an async context that opens and closes it.

A part takes the parts that it needs as arguments, and knows no others. A feature that is new is a file here, a field of
``worker.wiring.service.Service`` and a line in ``opened``, at its place in the order. A part that keeps rows which grow
old has a method ``prune``.
"""
