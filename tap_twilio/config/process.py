"""The process: how it begins, and how it ends where its output or a signal makes it.

It imports next to nothing, as a signal that comes before :func:`begin` ends in a traceback.
"""

from __future__ import annotations

import atexit
import errno
import gc
import io
import os
import signal
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

SIGNAL_BASE = 128
"""A process that a signal ended exits with this plus the signal's number."""

OBJECTS = 100_000
"""Objects that may be made, and not freed, before a search for circles among them."""

OUTPUT = frozenset({errno.EPIPE, errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF})
"""Errors of writing to stdout; those of files have a class of their own."""


def begin() -> None:
    """Get ready, before the slow imports."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end)
    if sys.stdout is None:
        sys.exit("stdout is closed, and records have nowhere else to go")
    _write_whole_lines()
    # Garbage collection takes a fourth of the time of imports.
    collect_rarely()


def _write_whole_lines() -> None:
    """Have all that is written to stdout arrive, whoever reads it and however late.

    ``PYTHONUNBUFFERED`` takes away the layer that goes on after a signal or a full pipe, and a
    parent process may have left its pipe in the mode that refuses to wait.
    """
    descriptor = sys.stdout.fileno()
    os.set_blocking(descriptor, True)
    whole = io.BufferedWriter(io.FileIO(descriptor, "w", closefd=False))
    sys.stdout = io.TextIOWrapper(whole, encoding="utf-8", newline="\n")


def _end(number: int, _frame: FrameType | None) -> None:
    """End at once: until the tap takes signals itself, there is nothing to be kept."""
    os._exit(SIGNAL_BASE + number)


def collect_rarely() -> None:
    """Don't look for circles of garbage in each page, nor in all that is left at the end.

    A page of a thousand records is thousands of objects, which Python would look through several
    times while the page is decoded: as long again as decoding takes. Records make no circles.
    """
    youngest, *_ = gc.get_threshold()
    if 0 < youngest < OBJECTS:
        gc.set_threshold(OBJECTS)
        atexit.register(gc.freeze)


def is_output(error: BaseException | None) -> bool:
    """Tell whether an error means that nothing more can be written."""
    return isinstance(error, OSError) and error.errno in OUTPUT


def lost_output(
    error: BaseException | None, reader: str = "The target ended before the tap did"
) -> tuple[str, int] | None:
    """Give the sentence and the exit code for a stdout that is lost; none if all was written.

    Whatever was still to be written is dropped: Python would complain of it at its exit.

    Args:
        reader: The sentence for a reader that is gone.
    """
    if not is_output(error):
        try:
            sys.stdout.flush()
        except OSError as late:
            error = late
    if not isinstance(error, OSError) or not is_output(error):
        return None
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if isinstance(error, BrokenPipeError):
        return reader, SIGNAL_BASE + signal.SIGPIPE
    reason = f"stdout can't be written to: {error.strerror}"
    return f"{reason}. Mend that, and run again with the last state that came out", 1
