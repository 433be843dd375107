"""A small searchable catalog: commands, domain events, queries and a subscriber over full-text search in SQL."""
