"""A project in an empty folder for each test, as for the end-to-end tests."""

from tests.e2e.conftest import project

__all__ = ["project"]
