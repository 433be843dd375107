"""What is done beyond a commit, written into the commit's metadata: a crash repeats only what was unfinished.

Offsets from the commit on are written, in base64, as pairs of varints: how many are not done, and how many after them are
done. What does not fit is left out: it would only be handled again. A single varint behind the pairs says that a process
holds the partition. That process removes it with its last commit: where it is still found, the process died.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator

VERSION = "1"
LIMIT = 4000
"""Most characters: brokers take 4,096 bytes unless they are configured otherwise."""

Range = tuple[int, int]
"""First offset, and the one after the last."""


def encode(base: int, ranges: Iterable[Range], limit: int = LIMIT, *, held: bool = False) -> str:
    """Write ascending ranges of done offsets, all at or above ``base``, and whether it is held.

    Empty when there is nothing to say.
    """
    room = (limit - len(VERSION)) * 3 // 4 - held
    written = bytearray()
    at = base
    for first, end in ranges:
        pair = _varint(first - at) + _varint(end - first)
        if len(written) + len(pair) > room:
            break
        written += pair
        at = end
    if held:
        written += _varint(1)
    return VERSION + base64.urlsafe_b64encode(written).decode().rstrip("=") if written else ""


def decode(base: int, text: str) -> list[Range]:
    """Read what ``encode`` wrote for the same ``base``; nothing where another program wrote the text."""
    numbers = _read(text)
    ranges: list[Range] = []
    at = base
    for gap, length in zip(numbers[::2], numbers[1::2], strict=False):
        ranges.append((at + gap, at + gap + length))
        at += gap + length
    return ranges


def held(text: str) -> bool:
    """Whether a process held the partition when it wrote this, and has not let go of it since."""
    return len(_read(text)) % 2 == 1


def joined(offsets: Iterable[int]) -> Iterator[Range]:
    """Join ascending offsets into ranges."""
    first = end = None
    for offset in offsets:
        if offset == end:
            end += 1
            continue
        if first is not None and end is not None:
            yield first, end
        first, end = offset, offset + 1
    if first is not None and end is not None:
        yield first, end


def _read(text: str) -> list[int]:
    if not text.startswith(VERSION):
        return []
    data = text[len(VERSION) :]
    try:
        return list(_numbers(base64.b64decode(data + "=" * (-len(data) % 4), altchars=b"-_", validate=True)))
    except (ValueError, binascii.Error):
        return []


def _varint(number: int) -> bytes:
    written = bytearray()
    while number > 0x7F:
        written.append(number & 0x7F | 0x80)
        number >>= 7
    written.append(number)
    return bytes(written)


def _numbers(data: bytes) -> Iterator[int]:
    number = shift = 0
    for byte in data:
        number |= (byte & 0x7F) << shift
        if byte & 0x80:
            shift += 7
        else:
            yield number
            number = shift = 0
