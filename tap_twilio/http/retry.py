"""How often, and after which pauses, a request that failed is made again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import backoff

from tap_twilio.http.errors import ThrottledError, TransientError, UnreachableError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from backoff.types import Details

LONGEST_WAIT = 60.0
"""Seconds between two tries at most, where Twilio doesn't ask for more."""

A = TypeVar("A")
T = TypeVar("T")


def jittered(wait: float) -> float:
    """Make a pause up to a quarter longer: requests that failed together don't return together."""
    return wait + backoff.full_jitter(wait / 4)


@dataclass(frozen=True)
class Patience:
    """Makes requests again: few times after failures, any number while merely throttled.

    Attributes:
        delay: Seconds before the first time; each pause is twice the one before.
        is_silent: Whether throttling has gone on for too long.
        tell: Told of each pause, as backoff tells: its ``wait`` in seconds, the ``tries`` so far,
            and the ``exception``.
    """

    retries: int
    delay: float
    is_silent: Callable[[], bool]
    tell: Callable[[Details], None]

    def __call__(self, get: Callable[[A], T]) -> Callable[[A], T]:
        """Make ``get`` try again until it succeeds, or raise what its last try raised."""
        failing = backoff.on_exception(
            self._waits,
            (TransientError, UnreachableError),
            max_tries=self.retries + 1,
            jitter=jittered,
            on_backoff=self.tell,
            logger=None,
        )
        throttled = backoff.on_exception(
            self._waits,
            ThrottledError,
            giveup=lambda _: self.is_silent(),
            jitter=jittered,
            on_backoff=self.tell,
            logger=None,
        )
        return throttled(failing(get))

    def _waits(self) -> Generator[float, Any, None]:
        waits = backoff.expo(factor=self.delay, max_value=LONGEST_WAIT)
        next(waits)
        error = yield 0.0
        while True:
            error = yield getattr(error, "retry_after", None) or next(waits)
