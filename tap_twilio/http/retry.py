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
    """Make a pause longer by chance, so that requests that failed together don't come together.

    Args:
        wait: Seconds.

    Returns:
        Up to a quarter more.
    """
    return wait + backoff.full_jitter(wait / 4)


@dataclass(frozen=True)
class Patience:
    """Makes requests again: few times after failures, any number while merely throttled.

    Attributes:
        retries: How often a request that failed is made again.
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
        """Give a function patience.

        Args:
            get: Makes one request.

        Returns:
            Makes it until it succeeds, or raises what the last one raised.
        """
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
