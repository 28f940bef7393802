"""How memory is given back."""

from __future__ import annotations

import contextlib
import ctypes

LARGE = 256 * 1024
"""Bytes from which a block is the system's again as soon as it is free."""

_M_MMAP_THRESHOLD = -3


def give_back_large_blocks() -> None:
    """Keep the memory of bodies from piling up in the heaps of the threads that read them.

    The C library of most Linux systems raises the size from which a block is mapped by itself
    with each such block that is freed; bodies then lie in as many heaps as there are threads, and
    what is free in one is of no use to another. Elsewhere this does nothing.
    """
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, LARGE)
