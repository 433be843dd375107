"""The application whose web servers are killed: a command for each order, stored once."""

from __future__ import annotations

import msgspec

from tests.e2e.statements import text
from worker import App, Context

app = App("shop")

TABLES = (
    "CREATE TABLE orders (number INTEGER PRIMARY KEY)",
    "CREATE TABLE fulfilled (number INTEGER, message_id TEXT)",
)

INSERT = "INSERT INTO orders (number) VALUES (:number)"


class Refused(Exception):
    """Raised after the command was sent: the order is rolled back, and the command with it."""


def refuse(number: int) -> None:
    """Refuse every tenth order."""
    if number % 10 == 7:
        raise Refused


@app.command(track=False)
class Fulfil(msgspec.Struct, frozen=True):
    number: int


@app.handler
async def fulfil(command: Fulfil, context: Context) -> None:
    """Store it; nothing keeps a number from being there twice."""
    await context.session.execute(
        text("INSERT INTO fulfilled (number, message_id) VALUES (:number, :id)"),
        {"number": command.number, "id": context.message_id},
    )
