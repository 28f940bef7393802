"""Keep secrets out of whatever is logged, and what nobody needs to read."""

from __future__ import annotations

import logging
import re
import threading
from base64 import b64encode
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, quote_plus

from typing_extensions import override

if TYPE_CHECKING:
    from requests.auth import HTTPBasicAuth

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


def printable(text: str) -> str:
    """Write a text so that it is one line, and nothing that a terminal would obey.

    Args:
        text: Any text, such as one from outside.

    Returns:
        The text, with an escape in place of each character that can't be printed.
    """
    if text.isprintable():
        return text
    return "".join(
        one if one.isprintable() else one.encode("unicode_escape").decode() for one in text
    )


class Redactor(logging.Filter):
    """Masks every known secret in log records, wherever in a message it stands.

    The queries of addresses are left out besides, unless for debugging: filters hold phone numbers.
    And messages are made one line each, as parts of them come from outside.
    """

    def __init__(self) -> None:
        """Start without secrets."""
        super().__init__()
        # Replaced, and never changed: any thread may log while another adds.
        self._secrets: frozenset[str] = frozenset()
        self._adding = threading.Lock()

    def add(self, secret: object) -> None:
        """Make a value unspeakable.

        Args:
            secret: The value; anything but a string of some length is ignored.
        """
        if isinstance(secret, str) and len(secret) >= SHORTEST:
            quoted = quote(secret, safe="", errors="replace")
            with self._adding:
                self._secrets |= {secret, quoted, quote_plus(secret, errors="replace")}

    def add_signature(self, signature: HTTPBasicAuth) -> None:
        """Make credentials unspeakable, in the form too in which requests carry them.

        Args:
            signature: The credentials.
        """
        self.add(signature.password)
        pair = ":".join(map(str, (signature.username, signature.password)))
        self.add(b64encode(pair.encode(errors="replace")).decode())

    def clean(self, text: str) -> str:
        """Mask secrets in a text, and make it one line.

        Args:
            text: Any text.

        Returns:
            The text, with a mask in each secret's place.
        """
        return printable(self._masked(text))

    def clean_trace(self, trace: str) -> str:
        """Mask secrets in a traceback.

        Args:
            trace: The traceback, of several lines.

        Returns:
            The same, set in, so that no line of it looks like another message.
        """
        return "\n  ".join(map(printable, self._masked(trace).split("\n")))

    def _masked(self, text: str) -> str:
        said = [secret for secret in self._secrets if secret in text]
        # One may be a part of another.
        for secret in sorted(said, key=len, reverse=True):
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
            # Formatters that make their own of it would tell what it hides.
            record.exc_text, record.exc_info = self.clean_trace(trace), None
        return True

    def guard(self) -> None:
        """Watch over every handler there is, once each."""
        loggers = [logging.getLogger(), *map(logging.getLogger, [*logging.root.manager.loggerDict])]
        for logger in loggers:
            for handler in logger.handlers:
                if self not in handler.filters:
                    handler.addFilter(self)


redactor = Redactor()
"""The process's one redactor: what is secret to one tap is secret to all that log beside it."""
