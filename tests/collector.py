"""Python's collector of garbage leaves alone what a run keeps until its end: modules, and the tests themselves.

That is half a million objects in each process of a run, and each full collection would look at all of them: a third
of a second, again and again, and wherever a test collects by itself.
"""

from __future__ import annotations

import gc

import pytest


class Anew:
    """Notes that something has let go of what is set apart: to count that is to walk through all of it.

    Attributes:
        wanted: it is to be set apart again.
    """

    def __init__(self) -> None:
        self.wanted = False
        self._unfreeze = gc.unfreeze

    def unfreeze(self) -> None:
        """Let go of it, as ever."""
        self._unfreeze()
        self.wanted = True


ANEW = Anew()


def pytest_configure() -> None:
    """Hear of it."""
    gc.unfreeze = ANEW.unfreeze


def pytest_unconfigure() -> None:
    """Hear of it no more."""
    gc.unfreeze = ANEW._unfreeze


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> object:
    """Find no garbage while tests are collected, as there is hardly any; then set apart what is there."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.collect()
        gc.freeze()


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown() -> None:
    """Set it apart again where a test has run a whole program, at whose end the collector looks at everything."""
    if ANEW.wanted:
        ANEW.wanted = False
        gc.collect(1)
        gc.freeze()
