"""What users did, in SQL."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from examples.search import schema
from examples.search.clock import now
from examples.search.interaction import Interaction


async def add(session: AsyncSession, app: str, interaction: Interaction) -> None:
    """Note an interaction."""
    await schema.prepare(session)
    await session.execute(
        text(
            "INSERT INTO catalog_interaction (app, user_name, item_uuid, weight, at) "
            "VALUES (:app, :user, :item_uuid, :weight, :now)"
        ),
        {
            "app": app,
            "user": interaction.user,
            "item_uuid": interaction.item_uuid,
            "weight": interaction.weight,
            "now": now(),
        },
    )


async def delete_all(session: AsyncSession, app: str) -> None:
    """Forget all interactions of an app."""
    await schema.prepare(session)
    await session.execute(text("DELETE FROM catalog_interaction WHERE app = :app"), {"app": app})
