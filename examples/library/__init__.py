"""A small library: its books, users and reservations as resources over HTTP, kept in SQL, its reviews in MongoDB if wished."""
