"""The tables of the catalog, created at first use inside the transaction that needs them."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from examples.search import dialect


async def is_ready(session: AsyncSession) -> bool:
    """Tell whether the tables are there; queries ask, because they only read."""
    return await session.scalar(text(dialect.of(session).ready)) is not None


async def prepare(session: AsyncSession) -> None:
    """Create the tables where they are missing; several workers may start at once."""
    if await is_ready(session):
        return
    for statement in dialect.of(session).statements:
        await session.execute(text(statement))
