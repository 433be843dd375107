"""Query strings, read strictly: what is no UTF-8 or too much is a fault, not a guess."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import parse_qsl

from starlette.types import Scope

from worker.errors import Fault
from worker.http.problems import INVALID_PARAMETER, MALFORMED, Problem
from worker.messaging.faults import escape

MAX_PARAMETERS = 1000


def parameters_of(scope: Scope) -> dict[str, list[str]]:
    """Return all values by name.

    Raises:
        Problem: the query string cannot be read.
    """
    found: dict[str, list[str]] = {}
    try:
        pairs = parse_qsl(
            scope["query_string"].decode("ascii"),
            keep_blank_values=True,
            encoding="utf-8",
            errors="strict",
            max_num_fields=MAX_PARAMETERS,
        )
    except UnicodeDecodeError:
        raise Problem(MALFORMED, "the query string is not percent-encoded UTF-8") from None
    except ValueError:
        raise Problem(MALFORMED, f"the query string has more than {MAX_PARAMETERS} parameters") from None
    for name, value in pairs:
        if not name and not value:
            continue  # a lone "=" or "&": nothing was said
        found.setdefault(name, []).append(value)
    return found


def single_values(scope: Scope, known: Iterable[str], faults: list[Fault]) -> dict[str, str]:
    """Return the value of each known parameter; one that is unknown or given twice joins ``faults``.

    Raises:
        Problem: the query string cannot be read.
    """
    names = tuple(known)
    given = parameters_of(scope)
    for name, values in given.items():
        if name not in names:
            faults.append(Fault(f"/{escape(name)}", f"is not known; known: {', '.join(names)}"))
        elif len(values) > 1:
            faults.append(Fault(f"/{name}", f"is given {len(values)} times, expected once"))
    return {name: values[0] for name, values in given.items() if name in names}


def refuse_parameters(scope: Scope) -> None:
    """Refuse whatever the query string says.

    Raises:
        Problem: it says something, or cannot be read.
    """
    faults = [
        Fault(f"/{escape(name)}", "is not known; there are no parameters here")
        for name in parameters_of(scope)
    ]
    if faults:
        raise invalid(faults)


def invalid(faults: list[Fault]) -> Problem:
    """Say which parameters are wrong."""
    return Problem(
        INVALID_PARAMETER, "; ".join(f"{f.pointer[1:]}: {f.message}" for f in faults), errors=faults
    )
