"""A live line on the terminal, which leaves stdout and the log as they are."""

from __future__ import annotations

import logging
import os
import shutil
import sys
import time
from typing import TYPE_CHECKING, Final

from typing_extensions import override

from tap_twilio.http.redaction import printable

if TYPE_CHECKING:
    from collections.abc import Callable

SECONDS_BETWEEN_DRAWINGS: Final = 0.2

CLEAR: Final = "\r\x1b[2K"


def is_wanted() -> bool:
    """Tell whether somebody is looking: stderr is a terminal that can do it, and this is no CI."""
    return (
        sys.stderr is not None
        and sys.stderr.isatty()
        and os.environ.get("TERM", "dumb") != "dumb"
        and "CI" not in os.environ
    )


class Status(logging.Filter):
    """One line that is drawn over itself, and cleared before anything is logged."""

    def __init__(self) -> None:
        """Draw nothing yet."""
        super().__init__()
        self._wanted = is_wanted()
        self._shown = False
        self._drawn = 0.0

    def draw(self, text: Callable[[], str]) -> None:
        """Show a line, unless the last one is too recent."""
        now = time.monotonic()
        if not self._wanted or now - self._drawn < SECONDS_BETWEEN_DRAWINGS:
            return
        if not self._drawn:
            self._watch()
        self._drawn = now
        width = shutil.get_terminal_size().columns - 1
        self._shown = True
        sys.stderr.write(f"{CLEAR}{printable(text())[:width]}")
        sys.stderr.flush()

    def close(self) -> None:
        """Take the line away, for good."""
        self._clear()
        self._wanted = False

    def _watch(self) -> None:
        for handler in logging.getLogger().handlers:
            if isinstance(handler, logging.StreamHandler):
                handler.addFilter(self)

    def _clear(self) -> None:
        if self._shown:
            self._shown = False
            sys.stderr.write(CLEAR)
            sys.stderr.flush()

    @override
    def filter(self, record: logging.LogRecord) -> bool:
        self._clear()
        return True
