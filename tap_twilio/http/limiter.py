"""How many requests an account bears at once."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

START = 4.0
"""Requests in flight to begin with."""


@dataclass
class Limiter:
    """An account's number of requests in flight: up while answers are good, halved when refused.

    Twilio bounds concurrency per account and doesn't publish the bound, so it is found: doubled
    in each round until the first refusal, from then on by additive increase and multiplicative
    decrease.

    Attributes:
        cap: The setting ``max_concurrent_requests``.
        limit: How many may be in flight now.
        answered: When the account last answered, on the monotonic clock.
    """

    cap: int
    limit: float = START
    in_flight: int = 0
    answered: float = field(default_factory=time.monotonic)
    _filled: float = 0.0
    _halved: float = 0.0
    _resume: float = 0.0
    _changed: threading.Condition = field(default_factory=threading.Condition, repr=False)

    def __post_init__(self) -> None:
        """Begin no higher than the cap."""
        self.limit = min(self.limit, self.cap)

    @property
    def has_room(self) -> bool:
        """Whether a request made now would go out at once."""
        return self.in_flight < self.limit and time.monotonic() >= self._resume

    def enter(self) -> float:
        """Wait for room and count a request as in flight; give when, on the monotonic clock."""
        with self._changed:
            now = time.monotonic()
            while self.in_flight >= self.limit or now < self._resume:
                # By the same look at the clock: nobody might wake what waits without an end.
                self._changed.wait(self._resume - now if now < self._resume else None)
                now = time.monotonic()
            self.in_flight += 1
            if self.in_flight >= int(self.limit):
                self._filled = now
            return now

    def leave(self) -> None:
        """Count a request as no longer in flight."""
        with self._changed:
            self.in_flight -= 1
            self._changed.notify()

    def succeeded(self, sent: float) -> None:
        """Make room for more after an answer, if all there was has been used since ``sent``."""
        with self._changed:
            self.answered = time.monotonic()
            if self.limit < self.cap and self._filled >= sent:
                step = 1.0 / self.limit if self._halved else 1.0
                self.limit = min(float(self.cap), self.limit + step)
                self._changed.notify()

    def throttled(
        self, sent: float, *, concurrent: int | None = None, retry_after: float | None = None
    ) -> float:
        """Take note of a 429; give the seconds that it adds to the pause made already.

        Args:
            sent: When the refused request went out; one wave of refusals halves but once.
            concurrent: Twilio's count (``Twilio-Concurrent-Requests``), other programs' among them.
            retry_after: Seconds in which nothing is to be sent.
        """
        with self._changed:
            now = time.monotonic()
            before = max(self._resume, now)
            if retry_after:
                self._resume = max(before, now + retry_after)
            if sent >= self._halved:
                self._halved = now
                bound = min(self.limit, concurrent) if concurrent else self.limit
                self.limit = max(1.0, bound / 2)
            return max(0.0, self._resume - before)
