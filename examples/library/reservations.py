"""Reservations: what is written and what is sent leave together, and steps with conditions stand in between."""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec
from sqlalchemy.orm import Mapped, mapped_column

from examples.library.base import Base, Name
from worker import App, Context, Get, GetCollection, Patch, Post
from worker.resources import MessengerProcessor, Operation, PersistProcessor, RequestEvent

part = App("library")


@part.processor
class ReservationProcessor:
    """Stores a reservation, and sends it to the handler that fetches the book from its shelf: both, or neither."""

    def __init__(self, persist: PersistProcessor, messenger: MessengerProcessor) -> None:
        self._persist = persist
        self._messenger = messenger

    async def process(
        self, data: Any, operation: Operation, uri_variables: Mapping[str, Any], context: Mapping[str, Any]
    ) -> Any:
        """Return it as it is stored; it is answered before it is handled."""
        stored = await self._persist.process(data, operation, uri_variables, context)
        await self._messenger.process(stored, operation, uri_variables, context)
        return stored


@part.command(key="id")
@part.resource(
    operations=[
        Post(),
        Get(),
        GetCollection(filters={"reader": "exact", "state": "exact"}),
        Patch(processor=ReservationProcessor, status=202),
    ]
)
class Reservation(Base):
    """A book that a reader wants to be kept."""

    __tablename__ = "reservations"

    id: Mapped[int] = mapped_column(primary_key=True)
    book: Mapped[int]
    reader: Mapped[Name]
    state: Mapped[Literal["asked", "wanted", "ready"]] = mapped_column(default="asked")
    channel: Mapped[str] = mapped_column(default="")
    fetched: Mapped[int] = mapped_column(default=0)


@part.step(
    action="update",
    group="view",
    priority=40,
    when={"class": Reservation, "request_type": "rest&!json_ld"},
)
class NoteApplication:
    """Notes, before it is stored, that a reservation came from an application that speaks JSON or MessagePack."""

    async def process(self, event: RequestEvent) -> None:
        """Note it."""
        event.result.channel = "application"


@part.step(
    action="update", group="view", priority=40, when={"class": Reservation, "request_type": "rest&json_ld"}
)
class NoteLinkedData:
    """Notes, before it is stored, that a reservation came from an application that speaks linked data."""

    async def process(self, event: RequestEvent) -> None:
        """Note it."""
        event.result.channel = "linked data"


@part.event
class BookWasFetched(msgspec.Struct, frozen=True):
    """A book waits for its reader."""

    reservation: int
    reader: str


@part.handler
async def fetch(reservation: Reservation, context: Context) -> None:
    """Fetch the book. What comes over the queue has the reservation's columns, but is no object of the session."""
    stored = await context.session.get(Reservation, reservation.id)
    if stored is None:
        return
    stored.state = "ready"
    stored.fetched += 1
    context.record(BookWasFetched(stored.id, stored.reader))


@part.resource(operations=[GetCollection(filters={"reservation": "exact"})])
class Notice(Base):
    """What a reader is told."""

    __tablename__ = "notices"

    id: Mapped[int] = mapped_column(primary_key=True)
    reservation: Mapped[int]
    text: Mapped[str]


@part.subscriber
async def tell(event: BookWasFetched, context: Context) -> None:
    """Tell the reader."""
    told = Notice(reservation=event.reservation, text=f"{event.reader}, your book waits for you.")
    context.session.add(told)
