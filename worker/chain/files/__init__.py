"""Steps declared in YAML files, in the form of the system that conditional chains come from."""
