"""Texts that any database, broker and log can keep, made of what code outside wrote: errors above all.

An error's text is the application's: it may hold a NUL or a lone surrogate, be endless, or raise when it is asked for.
Nothing here raises.
"""

from __future__ import annotations

import traceback

NAME = 255
"""Characters of a name that are kept."""
MESSAGE = 4_000
"""Characters of an error's message that are kept."""
TRACE = 20_000
"""Characters of a trace that are kept."""

_LONGEST = 1_000_000
"""Characters of a text that are written into a trace at all, before it is shortened."""
_CAUSES = 100


def storable(text: str, limit: int = MESSAGE) -> str:
    """Return text without what cannot be stored: NUL and lone surrogates are written out, as Python escapes them.

    Args:
        text: any; also of a class of its own.
        limit: characters that are kept; of more, the middle is left out.
    """
    plain = written = _shortened(text, limit)
    if "\0" in written:
        written = written.replace("\0", "\\x00")
    try:
        written.encode()
    except UnicodeEncodeError:
        written = written.encode("utf-8", "backslashreplace").decode()
    return written if written is plain else _shortened(written, limit)


def type_of(error: BaseException) -> str:
    """Name of an error's class."""
    try:
        return storable(type(error).__name__, NAME)
    except BaseException:  # the class may say its name by code of its own
        return "Exception"


def message_of(error: BaseException) -> str:
    """Text of an error, empty where it has none; where asking for it fails, that is said."""
    try:
        return storable(str(error))
    except BaseException as failed:  # whatever it raises is not what went wrong
        return f"its text cannot be read: {type_of(failed)}"


def told(error: BaseException) -> str:
    """Class and text of an error in one line, for a log."""
    return f"{type_of(error)}: {message_of(error)}"


def trace_of(error: BaseException) -> str:
    """Trace of an error with its causes; where that fails, its class and text and what is known of where it came from."""
    try:
        if _is_endless(error):
            return storable(
                f"{_place_of(error)}{told(error)}\n(its causes are left out: there is too much of them)\n",
                TRACE,
            )
        return storable("".join(traceback.format_exception(error)), TRACE)
    except BaseException as failed:  # a cause, a note or a class's name made by code of its own
        return storable(
            f"{_place_of(error)}{told(error)}\n(its trace cannot be written: {told(failed)})\n", TRACE
        )


def _is_endless(error: BaseException) -> bool:
    """Whether writing an error out would take long: a text of its own or of a cause, or the row of causes."""
    found: BaseException | None = error
    for _ in range(_CAUSES):
        if found is None:
            return False
        if str.__len__(str(found)) > _LONGEST:
            return True
        found = found.__cause__ or found.__context__
    return True


def _place_of(error: BaseException) -> str:
    try:
        return "".join(traceback.format_tb(error.__traceback__))
    except BaseException:
        return ""


def _shortened(text: str, limit: int) -> str:
    """Keep the beginning and, longer, the end: that is where a trace says what went wrong."""
    # by the class's own methods: those of a class derived from it may do anything
    size = str.__len__(text)
    if size <= limit:
        return str.__getitem__(text, slice(None))
    note = f"\n… {size - limit} characters and more left out …\n"
    head = limit // 4
    tail = limit - head - len(note)
    return str.__getitem__(text, slice(head)) + note + str.__getitem__(text, slice(size - tail, None))
