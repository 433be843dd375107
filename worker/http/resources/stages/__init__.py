"""Stages of a request that know HTTP: format, query, deserialize, serialize, respond, link, problem; one a file."""
