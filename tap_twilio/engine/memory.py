"""How memory is looked through, and given back."""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import gc

OBJECTS = 100_000
"""Objects that may be made, and not freed, before a search for circles among them."""

LARGE = 256 * 1024
"""Bytes from which a block is the system's again as soon as it is free."""

_M_MMAP_THRESHOLD = -3


def collect_rarely() -> None:
    """Don't look for circles of garbage in each page, nor in all that is left at the end.

    A page of a thousand records is thousands of objects, which Python would look through several
    times while the page is decoded: as long again as decoding takes. Records make no circles.
    """
    youngest, *_ = gc.get_threshold()
    if 0 < youngest < OBJECTS:
        gc.set_threshold(OBJECTS)
        atexit.register(gc.freeze)


def give_back_large_blocks() -> None:
    """Keep the memory of bodies from piling up in the heaps of the threads that read them.

    The C library of most Linux systems raises the size from which a block is mapped by itself
    with each such block that is freed; bodies then lie in as many heaps as there are threads, and
    what is free in one is of no use to another. Elsewhere this does nothing.
    """
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, LARGE)
