"""How many segments a text is sent and billed in."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Final

from gsm0338 import Codec

if TYPE_CHECKING:
    from collections.abc import Iterable

_GSM_7: Final = (160, 153)
_UCS_2: Final = (70, 67)
"""Places in a text of one segment, and in each of several."""

_ESCAPE: Final = 0x1B
_codec: Final = Codec()


def count(text: str) -> int:
    """Count the segments of a text.

    One letter that GSM-7 lacks makes all of it UCS-2. A letter of two places is never cut.
    """
    try:
        encoded, _ = _codec.encode(text)
    except UnicodeEncodeError:
        units = text.encode("utf-16-be", "surrogatepass")
        if len(units) // 2 <= _UCS_2[0]:
            return 1
        return _parts(map(_places, text), _UCS_2[1])
    if len(encoded) <= _GSM_7[0]:
        return 1
    return _parts(_septets(encoded), _GSM_7[1])


def _places(letter: str) -> int:
    return 2 if letter > "\uffff" else 1


def _septets(encoded: bytes) -> Iterable[int]:
    """Give the size of each letter."""
    plain = (piece for piece in encoded.split(bytes([_ESCAPE])))
    first = [1] * len(next(plain))
    return chain(first, *([2, *[1] * (len(piece) - 1)] for piece in plain))


def _parts(sizes: Iterable[int], each: int) -> int:
    parts, room = 1, each
    for size in sizes:
        if size > room:
            parts, room = parts + 1, each
        room -= size
    return parts
