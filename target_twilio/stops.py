"""Signals: a run ends after the row in hand, and never in the middle of it."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tap_twilio.config.process import SIGNAL_BASE
from tap_twilio.http.errors import Stopped

if TYPE_CHECKING:
    from collections.abc import Iterator


class Stops:
    """Ends the run on a signal: at once, or at the end of what is held together.

    All of it happens in the main thread, where Python runs signal handlers.
    """

    def __init__(self) -> None:
        """Let a signal end the run at once."""
        self._code: int | None = None
        self._held = 0
        self._is_ending = False

    def signal(self, number: int) -> None:
        """Take a signal; a second one ends the process where it stands.

        Raises:
            Stopped: Nothing is held together.
        """
        if self._code is not None:
            os._exit(SIGNAL_BASE + number)
        self._code = SIGNAL_BASE + number
        if not self._held:
            self.check()

    @property
    def is_asked(self) -> bool:
        """Whether a signal has come."""
        return self._code is not None

    def check(self) -> None:
        """End the run here if it was asked to, and isn't ending already.

        Raises:
            Stopped: It was.
        """
        if self._code is not None and not self._is_ending:
            self._is_ending = True
            raise Stopped(self._code)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold together what is done inside."""
        self._held += 1
        try:
            yield
        finally:
            self._held -= 1
        if not self._held:
            self.check()

    def wait(self, seconds: float) -> None:
        """Wait, unless a signal ends it, also where things are held together.

        Raises:
            Stopped: One did.
        """
        held, self._held = self._held, 0
        try:
            if self._code is not None:
                raise Stopped(self._code)
            time.sleep(seconds)
        finally:
            self._held = held
