"""How rarely memory is looked through."""

from __future__ import annotations

import atexit
import gc

OBJECTS = 100_000
"""Objects that may be made, and not freed, before a search for circles among them."""


def collect_rarely() -> None:
    """Don't look for circles of garbage in each page, nor in all that is left at the end.

    A page of a thousand records is thousands of objects, which Python would look through several
    times while the page is decoded: as long again as decoding takes. Records make no circles.
    """
    youngest, *_ = gc.get_threshold()
    if 0 < youngest < OBJECTS:
        gc.set_threshold(OBJECTS)
        atexit.register(gc.freeze)
