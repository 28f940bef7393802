"""The run: settings, connections and counts that all of its parts share."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tap_twilio.config.credentials import Credentials
from tap_twilio.config.process import collect_rarely
from tap_twilio.engine.clock import Clock
from tap_twilio.engine.memory import give_back_large_blocks
from tap_twilio.engine.skips import Skips
from tap_twilio.http.connections import Network
from tap_twilio.http.errors import IncompleteError, Stopped
from tap_twilio.http.files import Files
from tap_twilio.http.limiter import Limiter
from tap_twilio.http.transport import Transport
from tap_twilio.output.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tap_twilio.config.settings import Settings


class Run:
    """One run of the tap.

    Attributes:
        emits: Whether messages are written, so that the run may only end between two of them.
        wake: Makes whoever waits for a page look at :meth:`checkpoint`.
    """

    def __init__(self, settings: Settings) -> None:
        """Open nothing yet."""
        give_back_large_blocks()
        collect_rarely()
        self.settings = settings
        self.clock = Clock(settings.now)
        network = Network(
            connections=settings.max_concurrent_requests + 1,
            timeout=settings.request_timeout,
            settings=settings.hosts.settings,
        )
        self.transport = Transport(
            network, user_agent=settings.user_agent, note_date=self.clock.note
        )
        self.files = Files(
            connections=settings.max_concurrent_requests + 1,
            timeout=settings.request_timeout,
            user_agent=settings.user_agent,
        )
        self.progress = Progress()
        self.skips = Skips(
            Credentials(settings.account_sid, settings.signature, settings.subaccount_signatures),
            self.progress,
            settings.hosts.region,
        )
        self.emits = False
        self.wake: Callable[[], None] = lambda: None
        self._lock = threading.Lock()
        self._limiters: dict[str, Limiter] = {}
        self._exit_code: int | None = None
        self._aside = False

    def limiter(self, account_sid: str) -> Limiter:
        """Give an account's bound on requests in flight; safe in any thread."""
        limiter = self._limiters.get(account_sid)
        if limiter is None:
            new = Limiter(self.settings.max_concurrent_requests)
            with self._lock:
                limiter = self._limiters.setdefault(account_sid, new)
        return limiter

    def silence(self) -> float:
        """Tell for how long no account has answered, in seconds; safe in any thread."""
        with self._lock:
            answered = [limiter.answered for limiter in self._limiters.values()]
        return time.monotonic() - max(answered, default=time.monotonic())

    def stop(self, exit_code: int) -> None:
        """Ask the run to end, with an exit code, at the next moment when nothing is half written.

        Safe in a signal handler.
        """
        self._exit_code = exit_code
        if self._aside:
            self.checkpoint()
        self.wake()

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Let :meth:`stop` end the run at once, while the emitting thread asks Twilio by itself.

        Nothing is to be half written then.
        """
        self._aside = True
        try:
            self.checkpoint()
            yield
        finally:
            self._aside = False

    def checkpoint(self) -> None:
        """End the run here if it was asked to.

        Raises:
            Stopped: It was.
        """
        self.progress.tick()
        if self._exit_code is not None:
            raise Stopped(self._exit_code)

    def check_complete(self) -> None:
        """End a run that could not read everything as a failure.

        Raises:
            IncompleteError: Something could not be read to its end.
        """
        if failures := self.progress.failures:
            msg = f"{len(failures)} of the things to read could not be read to the end; see above"
            raise IncompleteError(msg)
