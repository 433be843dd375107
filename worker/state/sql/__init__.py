"""The fixed statements of the state as text, a file for each store; made by ``python -m worker.state.statements``."""
