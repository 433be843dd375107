"""What a plugin's name means for declarations: what it declares is its own, and a name that is on means something."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from worker.messaging.declaring.declarations import Declarations
from worker.messaging.declaring.messages import NAME
from worker.suggestion import hint


def of_plugin(name: str, declared: Declarations) -> Declarations:
    """Give a plugin's declarations, where those that a token switches on bear its name."""
    own = Declarations()
    own.faults += declared.faults
    for entry in declared.entries():
        said = getattr(entry, "plugin", None)
        if said is not None and said != name:
            own.faults.append(f"plugin {name!r}: it declares something with plugin={said!r}; leave that out")
        own.add(_named(entry, name))
    return own


def plugin_faults(names: Sequence[str], included: Sequence[str], declared: Declarations) -> Iterable[str]:
    """Say which plugins that are on there are not, and which there are twice."""
    given: Any
    for given in included:
        if given is None or [*plugin_name_fault(given)]:
            yield f"Plugin({given!r}): expected a name of letters, digits, '.', '-' or '_'"
    yield from (
        f"Plugin({name!r}): two plugins of one name" for name, times in Counter(included).items() if times > 1
    )
    known = {*included, *(getattr(entry, "plugin", None) for entry in declared.entries())} - {None}
    for name in dict.fromkeys(names):
        if name not in known:
            yield (
                f"plugin {name!r}: nothing is declared under this name, and no installed plugin has it"
                f"{hint(str(name), sorted(map(str, known)))}"
            )


def plugin_name_fault(plugin: Any) -> Iterable[str]:
    """Say that what is given for a plugin, if anything, cannot be the name of one."""
    if plugin is not None and not (isinstance(plugin, str) and NAME.fullmatch(plugin)):
        yield f"plugin={plugin!r}, expected a plugin's name"


def _named(entry: Any, name: str) -> Any:
    return msgspec.structs.replace(entry, plugin=name) if hasattr(entry, "plugin") else entry
