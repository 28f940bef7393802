"""Live lines on the terminal, which leave stdout and the log as they are."""

from __future__ import annotations

import logging
import sys
import threading
import time
from typing import TYPE_CHECKING, Any, Final

from tap_twilio.config import terminal

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TextIO

SECONDS_BETWEEN_DRAWINGS: Final = 0.2

CLEAR: Final = "\r\x1b[J"
"""Clears the line of the cursor, and all lines below it."""


class Status:
    """Lines below the log, drawn over themselves, and cleared before anything is logged.

    The cursor rests on an empty line above them. So a line that another program writes to the same
    terminal, as a target does, stays whole, and the next drawing comes below it.
    """

    def __init__(self) -> None:
        """Draw nothing yet."""
        self.is_wanted = terminal.is_watched()
        self._shown = False
        self._drawn = 0.0
        # Workers log, too.
        self._lock = threading.RLock()

    def draw(self, lines: Callable[[int, int], list[str]]) -> None:
        """Show lines, unless the last ones are too recent.

        Args:
            lines: Makes them for a number of columns and rows.
        """
        now = time.monotonic()
        if not self.is_wanted or now - self._drawn < SECONDS_BETWEEN_DRAWINGS:
            return
        if not self._drawn:
            self._watch()
        self._drawn = now
        columns, rows = terminal.size()
        # In the last column, some terminals begin another line.
        drawn = lines(columns - 1, rows - 2)
        with self._lock:
            self._shown = True
            below = "".join(f"\n{line}" for line in drawn)
            sys.stderr.write(f"{CLEAR}{below}\r\x1b[{len(drawn)}A")
            sys.stderr.flush()

    def close(self) -> None:
        """Take the lines away, for good."""
        with self._lock:
            self._clear(sys.stderr)
            self.is_wanted = False

    def _watch(self) -> None:
        loggers = [logging.getLogger(), *map(logging.getLogger, [*logging.root.manager.loggerDict])]
        for handler in {handler for logger in loggers for handler in logger.handlers}:
            if isinstance(handler, logging.StreamHandler) and handler.stream is sys.stderr:
                handler.setStream(_Above(self, handler.stream))

    def _clear(self, stream: TextIO) -> None:
        if self._shown:
            self._shown = False
            stream.write(CLEAR)
            stream.flush()

    def write_above(self, stream: TextIO, text: str) -> int:
        """Write to the terminal where the lines were."""
        with self._lock:
            self._clear(stream)
            return stream.write(text)


class _Above:
    """A handler's stream: what is written takes the place of the live lines."""

    def __init__(self, status: Status, stream: TextIO) -> None:
        self._status = status
        self._stream = stream

    def write(self, text: str) -> int:
        return self._status.write_above(self._stream, text)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return getattr(self._stream, name)
