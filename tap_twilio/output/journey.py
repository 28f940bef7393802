"""How far a run has come on its way through the lists, and how long the rest may take."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from statistics import fmean
from typing import TYPE_CHECKING, Final

from tap_twilio.resource.windows import EPOCH

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tap_twilio.resource.windows import Window

LEAST_SHARE: Final = 0.01
"""How much of a list must be read before it tells how long the rest of it takes."""


@dataclass(frozen=True, slots=True)
class Leg:
    """A list that is read for each account, with all that is below it.

    Attributes:
        stream: Its name.
        is_dated: Whether it is read by dates: such lists are the long ones.
    """

    stream: str
    is_dated: bool


@dataclass(frozen=True, slots=True)
class Left:
    """What remains of a run.

    Attributes:
        is_whole: Whether nothing is left out that may take long.
    """

    seconds: float
    is_whole: bool


@dataclass
class Journey:
    """The legs of each account, one after another, and the place reached.

    It is for the emitting thread, and counts the time of all that is emitted.

    Attributes:
        legs: The lists of one account, in their order.
        accounts: How many accounts there are.
        below: How much is read of what is below the rows of the last page, from 0 to 1.
        end: Where the ranges of dates end.
    """

    legs: tuple[Leg, ...] = ()
    accounts: int = 0
    below: float = 1.0
    end: datetime = EPOCH
    _place: tuple[int, int] | None = None
    _began: float = 0.0
    _took: dict[Leg, list[float]] = field(default_factory=dict)
    _first: float | None = None
    _origin: datetime | None = None
    _before: datetime | None = None
    _reached: datetime | None = None

    def plan(self, legs: Iterable[Leg], accounts: int, end: datetime) -> None:
        """Take note of what there is to read."""
        self.legs, self.accounts, self.end = tuple(legs), accounts, end

    def begin(self, account: int, leg: int) -> None:
        """Begin a list, by the numbers of its account and leg; the one before it is done."""
        now = time.monotonic()
        if self._place is not None:
            self._took.setdefault(self.legs[self._place[1]], []).append(now - self._began)
        self._place, self._began, self.below = (account, leg), now, 1.0
        self._first = self._origin = self._before = self._reached = None

    @property
    def stream(self) -> str | None:
        """The stream of the list in hand."""
        return None if self._place is None else self.legs[self._place[1]].stream

    @property
    def account(self) -> int:
        """The number of the account in hand, from 1 on; 0 before the first."""
        return 0 if self._place is None else self._place[0] + 1

    @property
    def done(self) -> int:
        """How many lists are behind."""
        return 0 if self._place is None else self._place[0] * len(self.legs) + self._place[1]

    # --- Within a list -------------------------------------------------------------------------

    def reach(
        self, window: Window, read_to: datetime, chain: tuple[int, int], since: datetime | None
    ) -> None:
        """Take note of a page.

        Args:
            window: The window as it was planned.
            read_to: Up to when it is read, as by :meth:`read_to`.
            chain: The number of the page's chain, and how many chains each window has.
            since: Where the page's own window begins; none if it has no rows.
        """
        if self._origin is None and since is not None:
            # What came before holds no rows, and took no time.
            self._origin = self._reached = since
        number, chains = chain
        start = max(window.start, self._origin or window.start)
        whole = (window.end or self.end) - start
        moment = start + (number * whole + (read_to - start)) / chains
        self._before, self._reached, self.below = self._reached, moment, 1.0
        if self._first is None and self.share is not None:
            # How long the first page took tells nothing of the others: they are read ahead.
            self._first, self._began = self.share, time.monotonic()

    def read_to(self, window: Window, dates: Sequence[str] = ()) -> datetime:
        """Tell up to when a window is read, as if its rows came oldest first.

        Args:
            window: The page's own: a part of the one that was planned, if that was too full.
            dates: Dates of the page's first and last row; none if no other page follows.
        """
        end = window.end or self.end
        if not dates:
            return end
        try:
            first, last = (_moment(date) for date in dates)
        except ValueError:
            return window.start
        last = min(max(last, window.start), end)
        return last if first < last else window.start + (end - last)

    @property
    def share(self) -> float | None:
        """How much of the list's range is read, from 0 to 1; none if it isn't read by dates."""
        if self._origin is None or self._before is None or self._reached is None:
            return None
        moment = self._before + self.below * (self._reached - self._before)
        whole = (self.end - self._origin).total_seconds()
        share = (moment - self._origin).total_seconds() / whole if whole > 0 else 1.0
        return min(1.0, max(0.0, share))

    @property
    def share_of_accounts(self) -> float | None:
        """How much of the stream in hand is read, as if all accounts had as many rows of it."""
        share = self.share
        if self._place is None or share is None:
            return None
        return (self._place[0] + share) / self.accounts

    # --- The rest ------------------------------------------------------------------------------

    def left(self) -> Left | None:
        """Estimate how long the rest takes; none as long as nothing tells.

        A list takes as long as it did for other accounts. One that is read for the first time tells
        by its share; until then, those that are read by dates are left out.
        """
        if self._place is None:
            return None
        account, number = self._place
        spent, share, leg = time.monotonic() - self._began, self.share, self.legs[number]
        took = {leg: fmean(times) for leg, times in self._took.items()}
        first = self._first or 0.0
        if share is not None and share - first >= LEAST_SHARE:
            here = spent * (1 - share) / (share - first)
        elif leg in took:
            here = max(0.0, took[leg] - spent)
        elif leg.is_dated:
            return None
        else:
            here = 0.0
        further, others = self.legs[number + 1 :], self.accounts - account - 1
        seconds = here + sum(took.get(leg, 0.0) for leg in further)
        if account:
            seconds += others * sum(took.get(leg, 0.0) for leg in self.legs)
        is_whole = all(leg in took or not leg.is_dated for leg in further)
        return Left(seconds, is_whole=is_whole and (account > 0 or not others))


def _moment(date: str) -> datetime:
    moment = datetime.fromisoformat(date)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
