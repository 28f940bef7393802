"""What all streams of a run share."""

from __future__ import annotations

import logging
import threading
import time
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from tap_twilio.ahead import Ahead
from tap_twilio.config import settings as settings_
from tap_twilio.config.credentials import Credentials
from tap_twilio.config.inputs import CLOCKS_DIFFER
from tap_twilio.http.connections import Network
from tap_twilio.http.errors import IncompleteError, Stopped
from tap_twilio.http.limiter import Limiter
from tap_twilio.http.memory import give_back_large_blocks
from tap_twilio.http.transport import Transport
from tap_twilio.memory import collect_rarely
from tap_twilio.output.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from tap_twilio.config.settings import Settings

logger = logging.getLogger("tap-twilio")

CLOCKS_AGREE = timedelta(minutes=1)
"""How far this machine's clock and Twilio's may be apart without a word."""


class Run:
    """One run of the tap: its settings, connections and counts.

    Attributes:
        settings: The checked settings.
        credentials: Who signs which request.
        transport: The connections.
        ahead: The look-ahead.
        progress: The counts.
        refused: Streams that an account's credentials may not read.
        shut: Accounts that are closed or suspended, and of which Twilio gives nothing.
        trusted: Accounts whose own tokens were found to be right.
        failed: Streams of accounts of which something could not be read.
        emits: Whether messages are written, so that the run may only end between two of them.
        heeds_time: Whether the date filters of streams were found to heed the time of day.
    """

    def __init__(self, settings: Settings, *, write_state: Callable[[], None]) -> None:
        """Open nothing yet.

        Args:
            settings: The checked settings.
            write_state: Writes the state as it is.
        """
        workers = settings.max_concurrent_requests
        give_back_large_blocks()
        collect_rarely()
        self.settings = settings
        self.credentials = Credentials(
            settings.account_sid, settings.signature, settings.subaccount_signatures
        )
        network = Network(
            connections=workers + 1,
            timeout=settings.request_timeout,
            settings=settings.hosts.settings,
        )
        self.transport = Transport(
            network, user_agent=settings.user_agent, note_date=_compare_clocks
        )
        self.ahead = Ahead(workers, self.checkpoint)
        self.progress = Progress()
        self.refused: set[tuple[str, str]] = set()
        self.shut: set[str] = set()
        self.trusted: set[str] = set()
        self.failed: set[tuple[str, str]] = set()
        self.emits = False
        self.heeds_time: dict[str, bool] = {}
        self._lock = threading.Lock()
        self._limiters: dict[str, Limiter] = {}
        self._readable: dict[str, set[str]] = {}
        self._write_state = write_state
        self._exit_code: int | None = None
        self._aside = False

    @property
    def present(self) -> datetime:
        """What time it is by the clock that rows are dated by, as far as that can be believed."""
        date, now = self.transport.date, self.settings.now
        return now if date is None or date > now + CLOCKS_DIFFER else date

    @property
    def reached(self) -> datetime:
        """Up to when bookmarks may move: the run's beginning by whichever clock is behind."""
        return min(self.settings.now, self.present)

    def limiter(self, account_sid: str) -> Limiter:
        """Give an account's bound on requests in flight; safe in any thread.

        Args:
            account_sid: The account.

        Returns:
            The one limiter of that account.
        """
        limiter = self._limiters.get(account_sid)
        if limiter is None:
            new = Limiter(self.settings.max_concurrent_requests)
            with self._lock:
                limiter = self._limiters.setdefault(account_sid, new)
        return limiter

    def note_read(self, stream: str, account_sid: str) -> None:
        """Take note of a stream that gave a page; safe in any thread.

        Args:
            stream: Name of the stream.
            account_sid: The account.
        """
        with self._lock:
            self._readable.setdefault(account_sid, set()).add(stream)

    def streams_read(self, account_sid: str) -> frozenset[str]:
        """Name the streams that gave a page; safe in any thread.

        Args:
            account_sid: The account.

        Returns:
            Their names.
        """
        with self._lock:
            return frozenset(self._readable.get(account_sid, ()))

    def skip_unsigned(self, stream: str, account_sid: str) -> None:
        """Take note of a stream that nothing at hand can read for a subaccount.

        Args:
            stream: Name of the stream.
            account_sid: The subaccount.
        """
        if account_sid not in {account for _, account in self.progress.skipped}:
            logger.warning(
                "%s: streams outside the 2010 API need credentials of its own, and there are "
                "none: they are skipped. Put some into subaccount_credentials",
                account_sid,
            )
        has_some = account_sid in self.credentials.refused
        reason = "its own credentials were refused" if has_some else "no credentials of its own"
        self.progress.skipped[stream, account_sid] = reason

    def shut_out(self, account_sid: str, reason: str) -> None:
        """Take note that Twilio gives nothing of an account.

        Args:
            account_sid: The account.
            reason: Why.
        """
        self.shut.add(account_sid)
        self.progress.skipped["all streams", account_sid] = reason
        logger.warning("%s is skipped: %s", account_sid, reason)

    def refuse(self, account_sid: str, reason: str) -> None:
        """Take note that a subaccount's own credentials are of no use.

        Args:
            account_sid: The subaccount.
            reason: What is wrong with them, and what to do about it.
        """
        self.credentials.refused.add(account_sid)
        self.progress.skipped["what it signs for itself", account_sid] = reason
        logger.warning("%s: %s", account_sid, reason)

    def silence(self) -> float:
        """Tell for how long no account has answered, in seconds; safe in any thread."""
        with self._lock:
            answered = [limiter.answered for limiter in self._limiters.values()]
        return time.monotonic() - max(answered, default=time.monotonic())

    def stop(self, exit_code: int) -> None:
        """Ask the run to end at the next moment when nothing is half written.

        Args:
            exit_code: What the process shall end with.
        """
        self._exit_code = exit_code
        if self._aside:
            self.checkpoint()
        self.ahead.wake()

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Let :meth:`stop` end the run at once, while the emitting thread asks Twilio by itself.

        Yields:
            Nothing; nothing is to be half written then.
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
            self.progress.finish()
            self._write_state()
            raise Stopped(self._exit_code)

    def check_complete(self) -> None:
        """End a run that could not read everything as a failure.

        Raises:
            IncompleteError: Something could not be read to its end.
        """
        if failures := self.progress.failures:
            msg = f"{len(failures)} of the things to read could not be read to the end; see above"
            raise IncompleteError(msg)


def _compare_clocks(date: datetime) -> None:
    """Say so if this machine's clock is wrong.

    Args:
        date: Twilio's moment now.
    """
    ahead = settings_.now_utc() - date
    if abs(ahead) <= CLOCKS_AGREE:
        return
    seconds = abs(ahead) // timedelta(seconds=1)
    if ahead > timedelta(0):
        logger.warning(
            "This machine's clock is %d seconds ahead of Twilio's: bookmarks keep to Twilio's, so "
            "nothing is lost, but dates that are counted back from now are off by as much",
            seconds,
        )
    else:
        logger.warning(
            "This machine's clock is %d seconds behind Twilio's: bookmarks keep to this machine's, "
            "so nothing is lost, but what is newer is read again by the next run",
            seconds,
        )
