"""Publishes keyed commands, each key's in order, until all are accepted: ``python -m tests.faults.keyed_load TOTAL KEYS``."""

from __future__ import annotations

import asyncio
import sys
import uuid

from tests.faults.keyed_app import Keep, Take, app
from worker.errors import Unavailable
from worker.settings.loading import load
from worker.wiring.console import console

KEEPS = 10
"""Every tenth key's commands are stored, the others' noted."""


async def main(total: int, keys: int) -> None:
    registry = app.registry()
    async with console(load(), registry) as found:
        bus = found.command_bus

        async def lane(number: int) -> int:
            kind = Keep if number % KEEPS == 0 else Take
            repeated = 0
            for place in range(total // keys):
                message_id = str(uuid.uuid4())
                while True:
                    try:
                        await bus.dispatch(kind(f"key-{number}", place), id=message_id)
                        break
                    except Unavailable:
                        repeated += 1
                        await asyncio.sleep(0.5)
            return repeated

        repeated = await asyncio.gather(*(lane(number) for number in range(keys)))
    print(f"repeated {sum(repeated)}", flush=True)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
