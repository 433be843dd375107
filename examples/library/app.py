"""The application: joins the parts that the other files declare. Start it as ``examples.library.app:app``."""

from examples.library import blog_posts, book_mail, books, passwords, reservations, subscriptions, users
from worker import App

app = App("library")
"""What ``worker run -A examples.library.app:app`` serves."""

for part in (
    books.part,
    book_mail.part,
    users.part,
    passwords.part,
    blog_posts.part,
    subscriptions.part,
    reservations.part,
):
    app.include(part)
