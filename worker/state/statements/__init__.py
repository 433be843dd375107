"""The fixed statements of the state, written with SQLAlchemy, a file for each store.

They are compiled to text once, when they are changed, by ``python -m worker.state.statements``, into ``worker.state.sql``;
a test compares the two. No running worker imports this folder: SQLAlchemy costs a process 25 MiB and a quarter of a second.

Each file has ``statements``, which is given its database's ``insert`` and names the statements. What is given when one is
executed is a ``bindparam``; everything else must be written as a ``literal_column``.
"""
