"""A page to be wanted, and what it turns out to hold."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from msgspec import Raw

    from tap_twilio.ahead import Order
    from tap_twilio.planning import PlannedStream
    from tap_twilio.records.convert import Record
    from tap_twilio.resource.windows import Window
    from tap_twilio.undated import Undated

    Plan = Iterator[tuple[Window | None, list["Request"]]]
    """Windows, each with the first request of each of its chains; groups that no window bounds."""


@dataclass(slots=True)
class Page:
    """One page of a stream.

    Attributes:
        rows: Its rows as Twilio sent them, until they are decoded.
        length: Bytes that came.
        size: Bytes of memory that it takes, about.
        page_size: Most rows that were asked for; none if that can't be chosen.
        link: Address of the next page of its chain.
        more: Query parameters of the next page, where Twilio gives no link to it.
        parts: The requests to make instead, where its window turned out to be too full.
        following: The request of the next page.
        request: What it answers.
        records: Its records, typed and cut to their window.
        parents: Records to read the children of, where these aren't the records themselves.
        below: What is to be read below its records, once that was planned.
        numbers: Place of each record among those that arrived, where some were left out since.
        received: How many rows it had.
        newest: The latest date of its rows, or when the latest was made, where rows without a date
            are searched for.
        latest: The latest date of those that have one, there.
        end: Key and date of its last row.
        lost: How many of its rows were no objects.
        oddities: What else is to be said of it.
    """

    rows: Raw | None
    length: int
    size: int
    page_size: int | None
    link: str | None
    request: Request
    records: list[Record] = field(default_factory=list)
    parts: list[Request] = field(default_factory=list)
    following: Request | None = None
    parents: list[Record] | None = None
    below: Iterator[Child] | None = None
    numbers: list[int] | None = None
    received: int = 0
    newest: str | None = None
    latest: str | None = None
    end: tuple[tuple[Any, ...], str | None] | None = None
    more: dict[str, str] | None = None
    lost: int = 0
    oddities: tuple[str, ...] = ()

    def keep(self, indexes: list[int]) -> None:
        """Leave out records, without a change to the places of their children.

        Args:
            indexes: Indexes of the records to keep, in order.
        """
        self.numbers = [self.numbers[index] for index in indexes] if self.numbers else indexes
        self.records = [self.records[index] for index in indexes]

    def numbered(self) -> Iterable[tuple[int, Record]]:
        """Give the records to read the children of, each with its place."""
        if self.parents is not None:
            return enumerate(self.parents)
        if self.numbers is not None:
            return zip(self.numbers, self.records, strict=True)
        return enumerate(self.records)


@dataclass(slots=True)
class Child:
    """What is to be read below one record.

    Attributes:
        stream: The child stream.
        context: SIDs of the parents.
        order: Its place in the order of emission; the last part but one is the record's.
        plan: What to ask for, once that was planned: see :meth:`PlannedStream.plan`.
    """

    stream: PlannedStream
    context: dict[str, Any]
    order: Order
    plan: Plan | None = None


@dataclass(slots=True)
class Request:
    """A page to be wanted: where it is, and what is kept of it.

    Attributes:
        stream: The stream.
        context: SIDs of the parents.
        order: Its place in the order of emission.
        params: Query parameters; none of them for a page that a link leads to.
        link: The link that Twilio gave, on the configured host.
        window: The rows to keep, by their date.
        undated: Keep rows without a date only, and go back so far.
    """

    stream: PlannedStream
    context: dict[str, Any]
    order: Order
    params: dict[str, str]
    link: str | None = None
    window: Window | None = None
    undated: Undated | None = None

    @property
    def height(self) -> int:
        """Levels of selected streams below this one."""
        return self.stream.height

    @property
    def light(self) -> bool:
        """Whether rows are only looked for, so that few of the page are kept."""
        return self.undated is not None and self.undated.shared

    @property
    def kind(self) -> str:
        """The stream's name: its pages are of like size."""
        return self.stream.name

    @property
    def is_wanted(self) -> bool:
        """Whether anybody still wants its rows; all of those may have been refused meanwhile."""
        return self.stream.is_news(self, self.stream.branch)

    def fetch(self) -> Page:
        """Ask Twilio; called by a worker."""
        return self.stream.fetch(self)

    def follow(self, page: Page) -> Iterable[Iterator[Request]]:
        """Tell what will be wanted after the page."""
        return self.stream.arrived(page)

    def may_go(self) -> bool:
        """Tell whether the account bears another request now."""
        return self.stream.run.limiter(self.stream.account_of(self.context)).has_room

    def after(self, page: Page) -> Request | None:
        """Make the request of the next page of the same chain; none after the last."""
        *place, number = self.order
        order = (*place, number + 1)
        if page.link is not None:
            return replace(self, order=order, params={}, link=page.link)
        if page.more is not None:
            return replace(self, order=order, params=self.params | page.more)
        return None
