"""What all tables of the library share; its types are those of its columns."""

from typing import Annotated

from msgspec import Meta
from sqlalchemy.orm import DeclarativeBase

Title = Annotated[str, Meta(min_length=1, max_length=200)]
Name = Annotated[str, Meta(min_length=1, max_length=100)]
Email = Annotated[
    str, Meta(max_length=200, pattern=r"^[A-Za-z0-9.+_-]+@[A-Za-z0-9-]+([.][A-Za-z0-9-]+)*$(?!\n)")
]
Year = Annotated[int, Meta(ge=-3000, le=3000)]


class Base(DeclarativeBase):
    """The tables of the library."""
