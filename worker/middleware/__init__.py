"""The middleware that every application has, one concern a file."""
