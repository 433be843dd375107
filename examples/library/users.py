"""Users: a processor of the application's own around the built-in ones, which welcomes new users."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Mapped, mapped_column

from examples.library.base import Base, Email, Name
from examples.library.mail import mail, send
from worker import App
from worker.resources import Operation, PersistProcessor, RemoveProcessor

part = App("library")


@part.processor
class UserProcessor:
    """Stores and removes users as the built-in processors do, and sends each new user a mail."""

    def __init__(self, persist: PersistProcessor, remove: RemoveProcessor) -> None:
        self._persist = persist
        self._remove = remove

    async def process(
        self, data: Any, operation: Operation, uri_variables: Mapping[str, Any], context: Mapping[str, Any]
    ) -> Any:
        """Do it: a user that is removed or changed gets no mail, and none is sent where storing fails."""
        if operation.is_delete:
            return await self._remove.process(data, operation, uri_variables, context)
        user = await self._persist.process(data, operation, uri_variables, context)
        if operation.method == "POST":
            send(mail(user.email, "Welcome", f"Welcome to the library, {user.name}."))
        return user


@part.resource(processor=UserProcessor)
class User(Base):
    """A person who borrows books."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[Name]
    email: Mapped[Email] = mapped_column(unique=True)
