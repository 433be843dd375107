"""Sends mail: into a folder (a Maildir) that any mail program can read, and any number of processes may write to."""

import mailbox
import os
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path

Send = Callable[[EmailMessage], None]

SYSTEM = "system@example.com"


def send(message: EmailMessage) -> None:
    """Put a mail into the folder that ``LIBRARY_MAIL`` names."""
    folder = Path(os.environ.get("LIBRARY_MAIL", "var/mail"))
    folder.parent.mkdir(parents=True, exist_ok=True)
    mailbox.Maildir(folder).add(message)


def mail(to: str, subject: str, text: str) -> EmailMessage:
    """Write a mail from the library."""
    message = EmailMessage()
    message["From"] = SYSTEM
    message["To"] = to
    message["Subject"] = subject
    message.set_content(text)
    return message
