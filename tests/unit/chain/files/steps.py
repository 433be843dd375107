"""Steps that the files under test name."""

from __future__ import annotations

from typing import Any

from worker import ChainContext

made: list[str] = []


class User: ...


class DoSomething:
    def __init__(self) -> None:
        made.append(type(self).__name__)

    async def process(self, context: ChainContext) -> None:
        context.result = [*(context.result or []), type(self).__name__]


class Other(DoSomething): ...


not_a_class: Any = 3
