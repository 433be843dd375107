"""Subscriptions to the newsletter: one handler for what is stored and what is removed, told apart by a stamp."""

from sqlalchemy import delete
from sqlalchemy.orm import Mapped, mapped_column

from examples.library.base import Base, Email
from worker import App, CallNext, Context, Delete, Envelope, Get, Post, Remove, Stamp

part = App("library")


class Purpose(Stamp, frozen=True):
    """What a message of a subscription is for."""

    value: str


@part.resource(messenger=True, identifier="email", operations=[Post(), Get(), Delete()])
class Subscription(Base):
    """An address to which the newsletter is sent."""

    __tablename__ = "subscriptions"

    email: Mapped[Email] = mapped_column(primary_key=True)
    confirmed: Mapped[bool] = mapped_column(default=False)


@part.middleware(messages=[Subscription], when={"remove": "exists"})
async def tell_removal(envelope: Envelope[Subscription], call_next: CallNext) -> Envelope[Subscription]:
    """Mark removals: only a DELETE's messages have the stamp, both where they are sent and where they are handled."""
    return await call_next(envelope.with_(Purpose("removal")))


@part.handler
async def keep(subscription: Subscription, context: Context) -> Subscription | None:
    """Store it, or remove it. Where it is handled at once, the value returned is the answer."""
    if context.envelope.get(Remove) is not None:
        gone = delete(Subscription).where(Subscription.email == subscription.email)
        await context.session.execute(gone)
        return None
    return await context.session.merge(Subscription(email=subscription.email, confirmed=True))
