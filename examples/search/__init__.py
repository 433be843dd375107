"""A small searchable catalog: commands, domain events, queries and a subscriber over SQLite full-text search."""
