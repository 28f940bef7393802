"""How many parts a text is sent and billed in."""

from __future__ import annotations

from typing import Final

_BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""The letters of GSM-7 that take one place."""

_EXTENDED: Final = frozenset("\f^{}\\[~]|€")
"""Those that take two."""

_GSM_7: Final = (160, 153)
_UCS_2: Final = (70, 67)


def count_segments(text: str) -> int:
    """Count the segments of a text: of one that fits, then of several with their headers."""
    letters = set(text)
    if letters <= _BASIC | _EXTENDED:
        (alone, each), sizes = _GSM_7, [1 + (letter in _EXTENDED) for letter in text]
    else:
        (alone, each), sizes = _UCS_2, [1 + (letter > "\uffff") for letter in text]
    if sum(sizes) <= alone:
        return 1
    segments, room = 1, each
    for size in sizes:
        # A letter of two places is never cut in half.
        if size > room:
            segments, room = segments + 1, each
        room -= size
    return segments
