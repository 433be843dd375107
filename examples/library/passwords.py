"""Passwords: requests that are not stored, but sent as messages, and answered before they are handled."""

from typing import Annotated

import msgspec
from msgspec import Meta
from sqlalchemy import select
from sqlalchemy.orm import Mapped, mapped_column

from examples.library.base import Base
from examples.library.mail import mail, send
from examples.library.users import User
from worker import App, Context, Post

part = App("library")


@part.resource(path="/password-resets", messenger=True, operations=[Post(status=202, output=False)])
class ResetPasswordRequest(msgspec.Struct, frozen=True):
    """A user has forgotten a password."""

    username: Annotated[str, Meta(min_length=1, max_length=200)]


@part.handler
async def reset(request: ResetPasswordRequest, context: Context) -> None:
    """Send a mail to the user; the caller does not learn whether there is such a user."""
    user = await context.session.scalar(select(User).where(User.email == request.username))
    if user is not None:
        send(mail(user.email, "Your password", f"Hello {user.name}, choose a new one."))


class NewPassword(msgspec.Struct, frozen=True):
    """What a request to change a password has in its body."""

    username: Annotated[str, Meta(min_length=1, max_length=200)]
    password: Annotated[str, Meta(min_length=12, max_length=200)]


class Password(Base):
    """A user's password, of which only the length is kept here; an application would keep its hash."""

    __tablename__ = "passwords"

    username: Mapped[str] = mapped_column(primary_key=True)
    length: Mapped[int]


@part.resource(
    path="/password-changes",
    messenger="input",
    operations=[Post(input=NewPassword, status=202, output=False)],
)
class PasswordChange(msgspec.Struct, frozen=True):
    """A password that is to be changed: its request is read into another class, which is what is sent."""

    username: str


@part.handler
async def change(new: NewPassword, context: Context) -> None:
    """Store it."""
    await context.session.merge(Password(username=new.username, length=len(new.password)))
