"""What a run costs: requests and time by rows, and rows by a few pages. Nothing here is asked for.

docs/scaling.md describes the model.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

SPLIT: Final = 4
"""Pages up to which a window is one chain of requests; a longer one is cut into parts."""

PAGES: Final = 1.5
"""Requests a full page of rows, where a window is cut: parts seldom end where a page does."""

START: Final = 0.8
"""Seconds before the first request: Python, and the schemas of all streams."""

ROW: Final = 30e-6
"""Seconds of one core that a row takes."""

FIRST: Final = 3
"""Requests in a row before there is anything to share out."""

AT_FIRST: Final = 4
"""Requests of an account let in flight at first; each round of answers lets in one more."""

ACCOUNTS_A_PAGE: Final = 1000

WALK: Final = 0.7
"""Share of a list's pages that are read one after the other, where rows without a date are looked
for: it is walked from several places if they are known."""

MOST_WALKED: Final = 150
"""Pages that this is at most: the longer a list is, the more such places are known."""

NEAR: Final = 2.0
"""Between an age that has rows and one that has none: how many times older is near enough."""


# --- Requests and time ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Cost:
    """What reading takes.

    Attributes:
        requests: Requests that are made.
        core: Seconds of a core.
        seconds: How long it takes.
    """

    requests: float
    core: float
    seconds: float


@dataclass(frozen=True)
class Read:
    """One stream of one account.

    Attributes:
        rows: How many rows it has.
        page: Rows on a page.
        undated: Lists that are searched besides for rows without a date, each by its share of
            the rows.
        parents: Rows of the stream above that have rows of this one: a request each.
        chains: Lists that its rows are shared out to: windows, or values of a parameter.
        splits: Whether a list of many pages is cut into parts that are read side by side.
        parts: Parts that its first page makes of it, where that is known: some may be empty.
    """

    rows: float
    page: int = 1000
    undated: Sequence[float] = ()
    parents: int = 0
    chains: int = 1
    splits: bool = True
    parts: int = 0

    @property
    def requests(self) -> float:
        """Requests that reading it takes."""
        if self.parents:
            return float(self.parents)
        if self.splits and (self._each > SPLIT or self.parts):
            read = self.chains + max(PAGES * self._pages, float(self.parts))
        else:
            read = float(self.chains * max(1, math.ceil(self._each)))
        return read + sum(self._searches)

    @property
    def in_a_row(self) -> int:
        """Requests of which each waits for the one before, in the longest of its lists."""
        if self.parents:
            return 1
        pages = max(1, math.ceil(self._each))
        return max(
            min(pages, SPLIT) if self.splits else pages,
            *(min(math.ceil(WALK * pages), MOST_WALKED) for pages in self._searches),
            0,
        )

    @property
    def _pages(self) -> float:
        return self.rows / self.page

    @property
    def _each(self) -> float:
        return self._pages / self.chains

    @property
    def _searches(self) -> list[int]:
        return [max(1, math.ceil(self._pages * share)) for share in self.undated]


@dataclass(frozen=True)
class Terms:
    """What a run can't choose by what it reads.

    Attributes:
        latency: Seconds from a request to its answer.
        concurrency: Requests in flight at most, in each run.
        accounts: Accounts in the list of accounts.
        shards: Runs that the whole is cut into, on as many cores.
    """

    latency: float
    concurrency: int
    accounts: int = 1
    shards: int = 1


def predict(reads: Iterable[Read], terms: Terms) -> Cost:
    """Foretell what a backfill takes.

    Args:
        reads: All that is to be read.
        terms: On which terms.

    Returns:
        What all runs take together; the seconds are those of the longest, if they are alike.
    """
    reads = list(reads)
    longest = max((read.in_a_row for read in reads), default=0)
    return cost_of(
        sum(read.requests for read in reads),
        sum(read.rows for read in reads),
        terms,
        waiting=longest * terms.latency / terms.shards,
    )


def cost_of(requests: float, rows: float, terms: Terms, *, waiting: float = 0.0) -> Cost:
    """Do as :func:`predict` does, with requests and rows that are known already.

    Args:
        waiting: Seconds that answers take which come one after the other.
    """
    shards, accounts = terms.shards, terms.accounts
    requests += shards * math.ceil(accounts / ACCOUNTS_A_PAGE)
    bound = min(terms.concurrency, AT_FIRST * accounts)
    rounds, left = 0, requests / shards
    while left > 0 and bound < terms.concurrency:
        rounds, left, bound = rounds + 1, left - bound, min(terms.concurrency, bound + accounts)
    rounds += max(0, math.ceil(left / bound))
    working = rows * ROW
    return Cost(
        requests,
        core=START * shards + working,
        seconds=START
        + max(FIRST * terms.latency + max(rounds * terms.latency, waiting), working / shards),
    )


# --- Rows ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Page:
    """The first page of a range of time.

    Attributes:
        start: Where the range begins.
        end: Where it ends.
        rows: How many rows came.
        is_last: Whether they are all that the range has.
        oldest: The oldest date on the page; none if none of its rows has one.
        newest: The newest.
    """

    start: datetime
    end: datetime
    rows: int
    is_last: bool = True
    oldest: datetime | None = None
    newest: datetime | None = None

    @property
    def rate(self) -> float:
        """Rows a second."""
        return self.rows / _seconds(self._covered)

    @property
    def reach(self) -> datetime:
        """The oldest moment that the page tells of."""
        return self.end - self._covered

    @property
    def _covered(self) -> timedelta:
        if self.is_last or self.oldest is None or self.newest is None:
            return self.end - self.start
        return self.newest - self.oldest


def rows_between(pages: Iterable[Page], start: datetime) -> float:
    """Estimate how many rows a range has, by pages that end at moments in it.

    Between two of them, rows come at the mean of their rates; before the oldest, at its rate.

    Args:
        pages: One of them ends where the range does.
        start: Where it begins.
    """
    newest_first = sorted(pages, key=lambda page: page.end, reverse=True)
    total = 0.0
    for page, older in zip(newest_first, [*newest_first[1:], None], strict=True):
        if page.is_last and page.start <= start:
            return total + page.rows
        since = start if older is None else older.end
        rate = page.rate if older is None else (page.rate + older.rate) / 2
        total += max(0.0, (page.end - since).total_seconds()) * rate
    return max(total, *(float(page.rows) for page in newest_first))


def next_moment(pages: Sequence[Page], start: datetime, end: datetime) -> datetime | None:
    """Tell where a further page tells most of a range's rows; none where it would tell little.

    Ages are halved as logarithms: the rows may begin a day ago, or years ago.

    Args:
        pages: What is known, the first of them of the whole range.
    """
    whole = [page for page in pages if page.is_last and page.start <= start]
    if pages[0] in whole:
        return None
    known = max(_seconds(end - page.reach) for page in pages if page not in whole)
    unknown = min([_seconds(end - start), *(_seconds(end - page.end) for page in whole)])
    if unknown / known < NEAR:
        return None
    return end - timedelta(seconds=int(math.sqrt(known * unknown)))


def _seconds(span: timedelta) -> float:
    return max(1.0, span.total_seconds())
