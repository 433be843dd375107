"""Conditions on attributes: ``a&!b``, ``a|b``, ``exists``; parsed once, asked just before a step.

The rules are those of Oro's ChainProcessor, with one change: values compare by value (``1``, ``1.0`` and
``"1"`` are equal, true is ``true``, an enum's member is its value). Classes compare by whether one is a subclass.
An attribute that the context does not have abstains, so the step runs, also for ``!x``; only ``exists``
asks for presence.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from numbers import Number
from typing import Any, Literal

from worker.errors import ConfigurationError

Verdict = bool | None
"""True: applies. False: does not. None: abstains, which lets the step run."""

Mode = Literal["all", "any", "exists", "absent"]


@dataclass(frozen=True, slots=True)
class Condition:
    """One attribute's condition: ``terms`` are (value, negated) pairs, joined by ``mode``."""

    attribute: str
    mode: Mode
    terms: tuple[tuple[str, bool], ...] = ()

    @property
    def text(self) -> str:
        """The condition as it is written."""
        if self.mode in {"exists", "absent"}:
            return "exists" if self.mode == "exists" else "!exists"
        return ("&" if self.mode == "all" else "|").join(
            f"{'!' if no else ''}{term}" for term, no in self.terms
        )

    def verdict(self, attributes: Mapping[str, Any], held: frozenset[str] | None = None) -> Verdict:
        """Say whether the condition holds for ``attributes``; None when it cannot tell.

        Args:
            attributes: what is asked.
            held: ``texts_of`` the attribute, where a caller that asks many conditions has it already.
        """
        present = self.attribute in attributes
        value = attributes.get(self.attribute)
        if self.mode == "exists":
            return value is not None
        if self.mode == "absent":
            return not present
        if value is None:
            return None
        texts = texts_of(value) if held is None else held
        answers = ((term in texts) is not negated for term, negated in self.terms)
        return all(answers) if self.mode == "all" else any(answers)


@dataclass(frozen=True, slots=True)
class ClassCondition(Condition):
    r"""A condition that classes answer by what they are: one holds for the class it names and for its subclasses.

    A class is named by itself, by module and name (``shop.Book``, ``shop\Book``), or by its name alone. ``cls`` is the
    one that was given itself; its name is then the one term.
    """

    cls: type[Any] | None = None

    def verdict(self, attributes: Mapping[str, Any], held: frozenset[str] | None = None) -> Verdict:
        """Say whether the condition holds for ``attributes``; None when it cannot tell."""
        if self.mode in {"exists", "absent"}:
            return Condition.verdict(self, attributes)
        value = attributes.get(self.attribute)
        if value is None:
            return None
        items = value if is_collection(value) else (value,)
        answers = (
            any(_is_a(item, term, self.cls) for item in items) is not negated for term, negated in self.terms
        )
        return all(answers) if self.mode == "all" else any(answers)


CLASSES = frozenset({"class", "parent_class"})
"""Attributes that hold classes: a condition on them names one."""
_WRITTEN = (str, Number, enum.Enum)
"""What a condition may be given as, besides a class."""


def parse(attribute: str, text: object) -> Condition:
    """Read one condition.

    Raises:
        ConfigurationError: an empty part, an operator in front, ``exists`` joined with others, or no text,
            number, boolean or class at all.
    """
    if isinstance(text, type):
        return ClassCondition(attribute, "any", ((_name(text), False),), text)
    if not isinstance(text, _WRITTEN):
        raise ConfigurationError(
            f"condition {attribute}={text!r}: expected text such as 'a|b', a number, a boolean or a class"
        )
    kind = ClassCondition if attribute in CLASSES else Condition
    source = text_of(text)
    where = f"condition {attribute}={source!r}"
    if source in {"exists", "!exists"}:
        return kind(attribute, "exists" if source == "exists" else "absent")
    mode: Mode = "all" if "&" in source else "any"
    parts = source.split("&" if mode == "all" else "|")
    terms = tuple((part.removeprefix("!"), part.startswith("!")) for part in parts)
    if any(not value or value.startswith("!") for value, _ in terms):
        raise ConfigurationError(
            f"{where}: an empty part; write values joined by & or by |, each with at most one !"
        )
    if len(terms) > 1 and any(value == "exists" for value, _ in terms):
        raise ConfigurationError(f"{where}: exists cannot be joined with other values")
    return kind(attribute, mode, terms)


def naming(attribute: str, value: str) -> Condition:
    """Make a condition for a value itself, also where it reads like more: a name may be ``exists``."""
    return Condition(attribute, "any", ((value, False),))


def parse_all(conditions: Mapping[str, object]) -> tuple[Condition, ...]:
    """Read a mapping of attribute to condition text; all of them must hold."""
    return tuple(parse(attribute, text) for attribute, text in conditions.items())


def applies(conditions: Iterable[Condition], attributes: Mapping[str, Any]) -> bool:
    """Tell whether no condition says no."""
    return all(condition.verdict(attributes) is not False for condition in conditions)


def is_collection(value: object) -> bool:
    """Whether a value holds several, of which a condition asks whether one is among them."""
    return isinstance(value, (list, tuple, set, frozenset))


def texts_of(value: Any) -> frozenset[str]:
    """Write what a value holds, each as conditions compare it."""
    return frozenset(map(text_of, value)) if is_collection(value) else frozenset((text_of(value),))


def text_of(value: object) -> str:
    """Write a value as conditions compare it; one that cannot be written is like no other."""
    if isinstance(value, str) and not isinstance(value, enum.Enum):
        return value
    if isinstance(value, enum.Enum):
        return text_of(value.value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, type):
        return _name(value)
    try:
        return str(value)
    except BaseException:  # its own code, or a number of more digits than Python writes
        return hex(value) if isinstance(value, int) else object.__repr__(value)


def _name(cls: type[Any]) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"


def _is_a(value: object, term: str, cls: type[Any] | None) -> bool:
    """Whether a class, or the name of one, is what a term names, or a subclass of it."""
    if isinstance(value, type) and cls is not None:
        try:
            return issubclass(value, cls)
        except Exception:  # a protocol that cannot be asked, or code of its own
            return value is cls
    wanted = _plain(term)
    if not isinstance(value, type):
        return _plain(text_of(value)) == wanted
    return any(wanted in {_name(base), base.__qualname__, base.__name__} for base in value.__mro__)


def _plain(name: str) -> str:
    """A class's name with dots, as Python writes it."""
    return name.replace("\\", ".").strip(".")
