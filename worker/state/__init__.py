"""Everything SQL: the database, its tables and migrations, and the stores over them."""
