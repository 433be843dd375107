"""The application: joins the parts that the other files declare. Start it as ``examples.search.app:app``."""

from examples.search import answers, commands, events, handlers, plugins, queries, subscribers
from worker import App

app = App("search")
"""What ``worker run -A examples.search.app:app`` serves."""

for part in (commands.part, events.part, handlers.part, queries.part, answers.part, subscribers.part):
    app.include(part)

for plugin in (plugins.published, plugins.upkeep):
    app.include(plugin)
