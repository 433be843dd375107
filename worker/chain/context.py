"""The context of a chain: what its steps share, and what they say about the steps that follow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any

from worker.errors import UsageError

_ACTION = "action"
_NO_GROUPS: frozenset[str] = frozenset()


class ChainContext(MutableMapping[str, Any]):
    """A mapping of attributes, which conditions ask, with a result, errors, and a word on what runs next.

    ``context["class"]`` raises ``KeyError`` where there is no such attribute, ``context.get("class")`` gives None. The
    attribute ``action`` is always there and stays as it is.

    Args:
        action: name of the action.
        attributes: those at the start; copied.

    Attributes:
        errors: what went wrong so far, in order; ``add_error`` adds to it.
        changes: how often steps said something that can change what runs next.
        stopped: whether a step said that this run ends with it.
    """

    __slots__ = ("_facts", "_first", "_last", "_skipped", "changes", "errors", "held", "stopped")

    def __init__(self, action: str, attributes: Mapping[str, Any] | None = None) -> None:
        self._facts: dict[str, Any] = (
            {_ACTION: action} if attributes is None else {**attributes, _ACTION: action}
        )
        self.errors: list[BaseException] = []
        self.changes = 0
        self.stopped = False
        self._first: str | None = None
        self._last: str | None = None
        self.held: tuple[Any] | None = None
        """The result as a tuple of one; None where there is none."""
        self._skipped = _NO_GROUPS

    @property
    def facts(self) -> dict[str, Any]:
        """The attributes as a plain dict, for conditions; steps change the mapping, never this."""
        return self._facts

    @property
    def action(self) -> str:
        """Name of the action that runs."""
        return str(self.facts[_ACTION])

    @property
    def result(self) -> Any:
        """What the steps made; None where there is none. Setting it stops nothing: a step asks ``has_result``."""
        return None if self.held is None else self.held[0]

    @result.setter
    def result(self, value: Any) -> None:
        self.held = (value,)

    @result.deleter
    def result(self) -> None:
        """Take it away."""
        self.held = None

    @property
    def has_result(self) -> bool:
        """Whether a result was set, be it None."""
        return self.held is not None

    @property
    def first_group(self) -> str | None:
        """First group whose steps run; those of no group always do. A name that the action has not means nothing."""
        return self._first

    @first_group.setter
    def first_group(self, group: str | None) -> None:
        self._first = None if group is None else _group(group)
        self.changes += 1

    @property
    def last_group(self) -> str | None:
        """Last group whose steps run, itself included; likewise."""
        return self._last

    @last_group.setter
    def last_group(self, group: str | None) -> None:
        self._last = None if group is None else _group(group)
        self.changes += 1

    @property
    def skipped_groups(self) -> frozenset[str]:
        """Groups whose steps do not run from now on."""
        return self._skipped

    def skip_group(self, group: str) -> None:
        """Run no further step of a group; a step may leave its own group so."""
        self._skipped |= {_group(group)}
        self.changes += 1

    def undo_skip_group(self, group: str) -> None:
        """Run the steps of a group again from now on."""
        self._skipped -= {_group(group)}
        self.changes += 1

    def add_error(self, error: BaseException) -> None:
        """Note that something went wrong: the chain ends after this step, or goes on at ``normalize_result``."""
        given: Any = error
        if not isinstance(given, BaseException):
            raise UsageError(f"add_error({given!r}): expected an exception")
        self.errors.append(error)

    def stop(self) -> None:
        """Let this run end with this step, whatever follows."""
        self.stopped = True
        self.changes += 1

    def __getitem__(self, attribute: str) -> Any:
        return self.facts[attribute]

    def __setitem__(self, attribute: str, value: Any) -> None:
        if attribute == _ACTION:
            raise UsageError(_fixed(value))
        self.facts[attribute] = value
        self.changes += 1

    def __delitem__(self, attribute: str) -> None:
        if attribute == _ACTION:
            raise UsageError(_fixed(None))
        del self.facts[attribute]
        self.changes += 1

    def clear(self) -> None:
        """Take all attributes away but the action."""
        action = self.action
        self.facts.clear()
        self.facts[_ACTION] = action
        self.changes += 1

    def __contains__(self, attribute: object) -> bool:
        return attribute in self.facts

    def __iter__(self) -> Iterator[str]:
        return iter(self.facts)

    def __len__(self) -> int:
        return len(self.facts)

    def __repr__(self) -> str:
        """Name what is there, without the values: they may be secret."""
        return f"<{type(self).__name__} of {self.action!r}: {', '.join(self.facts)}>"


def _group(given: Any) -> str:
    if not isinstance(given, str):
        raise UsageError(f"{given!r} is no group's name; expected text")
    return given


def _fixed(value: object) -> str:
    return f"context['action'] = {value!r}: the action of a running chain cannot be changed; run another one"
