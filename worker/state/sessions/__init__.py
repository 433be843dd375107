"""Sessions of handlers: everything of the state that needs SQLAlchemy, imported when a handler uses its session."""
