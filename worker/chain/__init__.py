"""Order and conditions; knows nothing of messages."""
