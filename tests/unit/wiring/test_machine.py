"""The machine: a process takes its clock, chance, ids and name from what it is given, and from nowhere else."""

from __future__ import annotations

import itertools
from pathlib import Path

from msgspec.structs import replace

from tests.unit.runtime.going import Go, shop
from worker.messaging.machine import Machine
from worker.runtime.process.machine import this_machine
from worker.settings import DatabaseSettings, Settings, TransportSettings
from worker.testing import Clock
from worker.wiring.service import opened


def simulated() -> Machine:
    """A machine on which everything comes again."""
    numbers = itertools.count()
    return replace(
        this_machine(Clock()),
        entropy=lambda size: next(numbers).to_bytes(size, "big"),
        host="sim",
        pid=7,
    )


async def run() -> tuple[str, list[str], str]:
    """A process's name, the ids of what it sends, and the host that its heartbeat names."""

    async def go(command: Go) -> None: ...

    settings = Settings(
        database=DatabaseSettings(url="sqlite://"),
        transports={"memory": TransportSettings(url="memory://")},
        routing={"*": "memory"},
        base=Path.cwd(),
    )
    async with opened(settings, shop(go).registry(), machine=simulated()) as service:
        dispatch = service.buses.dispatch["command"].dispatch
        ids = [(await dispatch(Go())).id for _ in range(3)]
        await service.fleet.beat(("Go",))
        (beat,) = await service.fleet.live()
        return service.process.name, ids, f"{beat.host} {beat.pid}"


async def test_two_runs_on_one_simulated_machine_are_the_same() -> None:
    """Names and ids, too: a run can be told again by its seed."""
    first, again = await run(), await run()
    assert first == again
    name, ids, beat = first
    assert (name, beat) == ("sim-7-00000000", "sim 7")
    assert len(set(ids)) == 3


def test_this_machine_is_the_real_one() -> None:
    """Its clock goes by itself, its chance is a share, and this process lives on it."""
    machine = this_machine()
    assert machine.clock() > 1_700_000_000
    assert 0 <= machine.chance() < 1
    assert machine.lives(machine.me) is True
    assert machine.process_name().startswith(f"{machine.host}-{machine.pid}-")
    assert len(machine.entropy(10)) == 10
    assert machine.entropy(10) != machine.entropy(10)
