"""The application: joins the parts that the other files declare. Start it as ``examples.search.app:app``."""

from examples.search import commands, events, handlers, queries, subscribers
from worker import App

app = App("search")
"""What ``worker run -A examples.search.app:app`` serves."""

for part in (commands.part, events.part, handlers.part, queries.part, subscribers.part):
    app.include(part)
