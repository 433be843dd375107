"""Stages of a request that know nothing of HTTP: read, access, validate, write; one a file."""
