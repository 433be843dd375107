"""The command line: ``worker``. One file a command in ``commands``; what they share stands beside it."""
