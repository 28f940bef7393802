"""Keeps secrets out of all logs, and messages that nobody needs to read."""

from __future__ import annotations

import logging
import re
import threading
from base64 import b64encode
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, quote_plus

from typing_extensions import override

if TYPE_CHECKING:
    from tap_twilio.http.signatures import Signature

MASK: Final = "********"
SHORTEST: Final = 6

_NOISE: Final = frozenset(
    {
        "Added '%s' as child stream to '%s'",
        "Skipping deselected stream '%s'.",
        # To the SDK the accounts are the only stream that it reads itself.
        "Beginning sync of '%s' in %s mode",
        # Each variable of the environment that is read has a line of its own.
        "Skipping parse of env var settings...",
        "Parsing env var for settings config...",
        # Told in one sentence besides.
        "An unhandled error occurred while syncing '%s'",
        "Backing off %s(...) for %.1fs (%s)",
        "Giving up %s(...) after %d tries (%s)",
    }
)
"""SDK messages that come at every start, some for each of some hundred streams, or tell things
twice."""


def is_news(record: logging.LogRecord) -> bool:
    """Tell whether a log record is worth reading."""
    return record.msg not in _NOISE


def is_wanted(metric: logging.LogRecord) -> bool:
    """Tell whether to log a metric: they have a handler of their own, or this is for debugging.

    There are three for each stream, and the summary has their values.
    """
    logger = logging.getLogger(metric.name)
    return bool(logger.handlers) or logger.isEnabledFor(logging.DEBUG)


_QUERY: Final = re.compile(r"(https?://[^\s?]+|/(?:2010-04-01|v\d+)/[^\s?]*)\?[^\s)'\"]+")


_JWT: Final = re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}(\.[\w-]*)?")
"""The form of most tokens: what has it is one, whoever gave it."""


def printable(text: str) -> str:
    """Escape unprintable characters: one line is left, and nothing that a terminal would obey."""
    if text.isprintable():
        return text
    return "".join(
        one if one.isprintable() else one.encode("unicode_escape").decode() for one in text
    )


class Redactor(logging.Filter):
    """Masks every known secret in log records, wherever in a message it stands.

    The queries of addresses are left out besides, unless for debugging: filters hold phone numbers.
    Messages become one line each, as parts of them come from outside.
    """

    def __init__(self) -> None:
        """Start without secrets."""
        super().__init__()
        # Replaced, and never changed: any thread may log while another adds.
        self._secrets: frozenset[str] = frozenset()
        self._adding = threading.Lock()

    def add(self, secret: object) -> None:
        """Make a value unspeakable; anything but a string of some length is ignored."""
        if isinstance(secret, str) and len(secret) >= SHORTEST:
            with self._adding:
                self._secrets |= _forms(secret)

    def discard(self, secret: str) -> None:
        """Forget a value that is of no more use to anybody, as there will be many."""
        with self._adding:
            self._secrets -= _forms(secret)

    def add_signature(self, signature: Signature) -> None:
        """Make credentials unspeakable, also in the form in which requests carry them."""
        self.add(signature.password)
        pair = ":".join(map(str, (signature.username, signature.password)))
        self.add(b64encode(pair.encode(errors="replace")).decode())

    def clean(self, text: str) -> str:
        """Mask secrets in a text, and make it one line."""
        return printable(self._masked(text))

    def clean_trace(self, trace: str) -> str:
        """Mask secrets in a traceback, indented: no line of it looks like another message."""
        return "\n  ".join(map(printable, self._masked(trace).split("\n")))

    def _masked(self, text: str) -> str:
        said = [secret for secret in self._secrets if secret in text]
        # One may be a part of another.
        for secret in sorted(said, key=len, reverse=True):
            text = text.replace(secret, MASK)
        return _JWT.sub(MASK, text) if "eyJ" in text else text

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


def _forms(secret: str) -> set[str]:
    """Give a secret as it is, and as addresses have it."""
    return {secret, quote(secret, safe="", errors="replace"), quote_plus(secret, errors="replace")}


redactor = Redactor()
"""The process's one redactor: what is secret to one tap is secret to all that log beside it."""
