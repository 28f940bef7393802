"""The terminal: whether somebody looks at it, and how the log looks there."""

from __future__ import annotations

import logging
import os
import sys
from typing import Final

from singer_sdk.logging import ConsoleFormatter
from typing_extensions import override

CLOCK: Final = "%H:%M:%S"

PREFIX: Final = len("12:34:56 ")
"""Columns before the message of a short line."""


def is_watched() -> bool:
    """Tell whether somebody is looking: stderr is a terminal that can do it, and this is no CI."""
    return (
        sys.stderr is not None
        and sys.stderr.isatty()
        and os.environ.get("TERM", "dumb") != "dumb"
        and "CI" not in os.environ
    )


def has_color() -> bool:
    """Tell whether the user minds colors: see https://no-color.org."""
    return not os.environ.get("NO_COLOR")


def has_blocks() -> bool:
    """Tell whether characters that bars are drawn with can be written."""
    return sys.stderr is not None and (sys.stderr.encoding or "").lower().startswith("utf")


def size() -> tuple[int, int]:
    """Give the columns and rows of the terminal that stderr is."""
    try:
        columns, rows = os.get_terminal_size(sys.stderr.fileno())
    except OSError:
        columns = rows = 0
    # Some terminals don't tell.
    return columns or 80, rows or 24


class ShortFormatter(logging.Formatter):
    """Writes time and message, and the level where it is none of the usual."""

    @override
    def formatMessage(self, record: logging.LogRecord) -> str:
        level = "" if record.levelno == logging.INFO else f"{record.levelname} "
        return f"{self.formatTime(record, CLOCK)} {level}{record.message}"


def shorten_log() -> None:
    """Leave to the message most of the width: the SDK's lines begin with 69 other characters.

    Lines stay as they are where no person reads them, or where they are for debugging.
    """
    root = logging.getLogger()
    if not is_watched() or root.level < logging.INFO:
        return
    for handler in root.handlers:
        if isinstance(handler.formatter, ConsoleFormatter):
            handler.setFormatter(ShortFormatter())
