"""A mail after each new book: a listener at one place of every request's life cycle."""

from typing import ClassVar

from examples.library.books import Book
from examples.library.mail import mail, send
from worker import App, Hook
from worker.resources import RequestEvent

part = App("library")


@part.listener
class BookMailSubscriber:
    """Tells that a book was added: by then it is stored, and has its id."""

    subscribed_events: ClassVar = {Hook.POST_WRITE: "send_mail"}

    def send_mail(self, event: RequestEvent) -> None:
        """Send it for a new book only: not where another resource is written, nor where a book changes."""
        book = event.result
        if not isinstance(book, Book) or event.request.method != "POST":
            return
        send(
            mail(
                "contact@les-tilleuls.coop",
                "A new book has been added",
                f"The book #{book.id} has been added.",
            )
        )
