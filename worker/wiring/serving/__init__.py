"""What answers over HTTP: the intake and a worker's probes, the server under both, and who may call it."""
