"""A plugin: declarations under a name, which an application includes or a configuration enables."""

from __future__ import annotations

from worker.application.every import DeclaresEverything


class Plugin(DeclaresEverything):
    """A named set of declarations, with the decorators of ``App``.

    ``app.include(plugin)`` enables it. Its middleware, listeners and steps run for what has no token, and for that whose token lists
    the plugin; all else that it declares is always there. To be enabled by ``plugins = ["name"]`` in a configuration, a
    package names it as an entry point of that name in the group ``command_worker.plugins``.

    Args:
        name: as tokens, configurations and conditions name it.
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
