"""Resources as documents in MongoDB: everything that needs its client, imported where ``[documents] url`` is set."""
