"""Keep secrets out of whatever is logged, and what nobody needs to read."""

from __future__ import annotations

import logging
import re
from typing import Final

from typing_extensions import override

MASK: Final = "********"
SHORTEST: Final = 6

_NOISE: Final = frozenset(
    {
        "Added '%s' as child stream to '%s'",
        "Skipping deselected stream '%s'.",
        # Told in one sentence besides.
        "An unhandled error occurred while syncing '%s'",
        "Backing off %s(...) for %.1fs (%s)",
        "Giving up %s(...) after %d tries (%s)",
    }
)
"""What the SDK logs for each of some hundred streams at every start, or tells twice."""


def is_news(record: logging.LogRecord) -> bool:
    """Tell whether a log record is worth reading.

    Args:
        record: The record.

    Returns:
        False for what the SDK says too often.
    """
    return record.msg not in _NOISE


_QUERY: Final = re.compile(r"(https?://[^\s?]+|/(?:2010-04-01|v\d+)/[^\s?]*)\?[^\s)'\"]+")


class Redactor(logging.Filter):
    """Masks every known secret in log records, wherever in a message it stands.

    The queries of addresses are left out besides, unless for debugging: filters hold phone numbers.
    """

    def __init__(self) -> None:
        """Start without secrets."""
        super().__init__()
        self._secrets: set[str] = set()

    def add(self, secret: object) -> None:
        """Make a value unspeakable.

        Args:
            secret: The value; anything but a string of some length is ignored.
        """
        if isinstance(secret, str) and len(secret) >= SHORTEST:
            self._secrets.add(secret)

    def clean(self, text: str) -> str:
        """Mask secrets in a text.

        Args:
            text: Any text.

        Returns:
            The text, with a mask in each secret's place.
        """
        for secret in self._secrets:
            if secret in text:
                text = text.replace(secret, MASK)
        return text

    @override
    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        cleaned = self.clean(message)
        if record.levelno > logging.DEBUG:
            cleaned = _QUERY.sub(r"\1?…", cleaned)
        if cleaned != message:
            record.msg, record.args = cleaned, ()
        if record.exc_info:
            trace = logging.Formatter().formatException(record.exc_info)
            record.exc_text = self.clean(trace)
        return True

    def guard(self) -> None:
        """Watch over every handler there is, once each."""
        loggers = [logging.getLogger(), *map(logging.getLogger, logging.root.manager.loggerDict)]
        for logger in loggers:
            for handler in logger.handlers:
                if self not in handler.filters:
                    handler.addFilter(self)


redactor = Redactor()
"""The process's one redactor: what is secret to one tap is secret to all that log beside it."""
