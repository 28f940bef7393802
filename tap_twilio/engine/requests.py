"""Requests, pages, records: plain data that the engine's parts hand on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from msgspec import Raw

    from tap_twilio.http.files import RowFile
    from tap_twilio.resource.resource import Node
    from tap_twilio.resource.windows import Window

Record = dict[str, Any]

FIRST_PAGES: Final = 8
"""Pages of a search that are prefetched before it is known from where else to walk: from the top,
and from each page on that has rows without a date though it is old."""


class Place(tuple[float, ...]):
    """A place in the order of emission: compared part by part, an outer part first.

    A list has a place; below it come its windows, their chains, and their pages; below a page its
    rows, below a row its child lists, and so on. A window that turned out to be too full has parts
    below its first page instead. A search has one chain more: of its walks.
    """

    __slots__ = ()

    def below(self, *parts: float) -> Place:
        """Give a place below this one: a window's below a list's, a child's below a page's."""
        return Place((*self, *parts))

    def chain(self, number: int) -> Place:
        """Give the first page of a chain, or of a part, below this place."""
        return Place((*self, number, 0))

    def walk(self, number: int) -> Place:
        """Give the first page of another walk of the search that this page is of."""
        return Place((*self[:-2], number, 0))

    @property
    def search(self) -> Place:
        """The search that this page is of: all of its walks."""
        return Place(self[:-2])

    @property
    def next(self) -> Place:
        """The next page of the same chain."""
        return Place((*self[:-1], self[-1] + 1))

    @property
    def number(self) -> int:
        """The number of this page in its chain."""
        return int(self[-1])

    @property
    def row(self) -> int:
        """The number of the row that this child list is below."""
        return int(self[-2])

    @property
    def branch(self) -> int:
        """The number of this child list among those of its row."""
        return int(self[-1])

    @property
    def end(self) -> Place:
        """A place after all that is below this one."""
        return Place((*self, float("inf")))


@dataclass(frozen=True, slots=True)
class Waypoint:
    """A place in a list from which it can be walked.

    Attributes:
        link: Leads to the rows after it.
        row: Key of the row before it.
        date: Date of that row, in ISO 8601.
        pages: Pages of the list that are older, about.
    """

    link: str
    row: tuple[Any, ...]
    date: str
    pages: float


@dataclass(slots=True)
class Frontier:
    """How far a list is walked from its top before its turn, as long as such rows recur there.

    Attributes:
        wanted: Pages to prefetch.
        walked: Pages that came, or that are asked for in any case. The first waypoint to walk from
            lies beyond them.
        is_final: Whether that waypoint is known, so that there is no need to go further.
    """

    wanted: int = FIRST_PAGES
    walked: int = FIRST_PAGES
    is_final: bool = False


@dataclass(frozen=True, slots=True)
class Search:
    """How far back to look for rows without a date.

    Attributes:
        floor: Never further back than this.
        recent: At least as far back as this.
        is_shared: Whether the list is the one that the windows are of.
        until: Where the next walk begins, if that was known in time.
        frontier: How far the walk from the top has come.
    """

    floor: datetime
    recent: datetime
    is_shared: bool
    until: Waypoint | None = None
    frontier: Frontier = field(default_factory=Frontier, compare=False)


@dataclass(frozen=True, slots=True)
class Request:
    """A page to be wanted: where it is, and what is kept of it.

    Attributes:
        context: SIDs of the parents, by their names in paths.
        params: Query parameters; none of them for a page that a link leads to.
        link: The link that Twilio gave, on the configured host.
        window: The rows to keep, by their date.
        search: Keep rows without a date only, and go back so far.
        file: The file of which it is a part, instead of a page.
    """

    node: Node
    context: Mapping[str, Any]
    place: Place
    params: Mapping[str, str]
    link: str | None = None
    window: Window | None = None
    search: Search | None = None
    file: RowFile | None = None

    @property
    def account(self) -> str:
        """SID of the account whose rows are wanted."""
        return self.node.account_of(self.context)

    @property
    def height(self) -> int:
        """Levels of selected streams below this one."""
        return self.node.height

    @property
    def is_light(self) -> bool:
        """Whether rows are only looked for, so that few of the page are kept."""
        return self.search is not None and self.search.is_shared

    @property
    def kind(self) -> str:
        """Name that pages of like size share: the stream's."""
        return self.node.name

    def after(self, link: str | None, more: Mapping[str, str] | None) -> Request | None:
        """Make the request of the next page of the same chain; none after the last."""
        if link is not None:
            return replace(self, place=self.place.next, params={}, link=link)
        if more is not None:
            return replace(self, place=self.place.next, params={**self.params, **more})
        return None


@dataclass(frozen=True, slots=True)
class Fetched:
    """A page as a worker brought it.

    Attributes:
        rows: JSON as Twilio sent it: a quarter of the memory that records take.
        length: Bytes that came.
        page_size: Most rows that were asked for; none if that can't be chosen.
        following: The next page of the same chain.
        parts: What to ask for instead, as the window turned out to be too full.
        oddities: What is to be said of a body that wasn't proper JSON.
    """

    request: Request
    rows: Raw
    length: int = 0
    page_size: int | None = None
    following: Request | None = None
    parts: tuple[Request, ...] = ()
    oddities: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Bytes of memory that it takes, about."""
        return 0 if self.parts else self.length


@dataclass(slots=True)
class Batch:
    """Records of one page, typed and cut to their window. Only the reader changes one.

    Attributes without a word here are those of :class:`Fetched`.

    Attributes:
        parts: If there are any, there are no records.
        received: How many rows came.
        size: Bytes of memory that it takes, about.
        parents: Records to read the children of, where these aren't the records themselves.
        children: What is to be read below the records, once that was planned.
        numbers: Place of each record among those that arrived, where some were left out since.
        last: Key and date of the last row that came, where windows are cut.
        newest: Latest date of rows, or when the latest was made, where null dates are searched.
        latest: Latest date of those that have one, there.
        lost: Rows that were no objects.
        oddities: What else is to be said of the page.
    """

    request: Request
    records: list[Record] = field(default_factory=list)
    following: Request | None = None
    parts: tuple[Request, ...] = ()
    received: int = 0
    size: int = 0
    length: int = 0
    page_size: int | None = None
    parents: list[Record] | None = None
    children: Iterator[Child] | None = None
    numbers: list[int] | None = None
    last: tuple[tuple[Any, ...], str | None] | None = None
    newest: str | None = None
    latest: str | None = None
    lost: int = 0
    oddities: tuple[str, ...] = ()

    @classmethod
    def of(cls, fetched: Fetched) -> Batch:
        """Make a batch of a page whose rows are yet to be decoded."""
        return cls(
            fetched.request,
            following=fetched.following,
            parts=fetched.parts,
            size=fetched.size,
            length=fetched.length,
            page_size=fetched.page_size,
            oddities=fetched.oddities,
        )

    def keep(self, indexes: list[int]) -> None:
        """Leave out all records but these, without a change to the places of their children."""
        self.numbers = [self.numbers[index] for index in indexes] if self.numbers else indexes
        self.records = [self.records[index] for index in indexes]

    def numbered(self) -> Iterable[tuple[int, Record]]:
        """Give the records to read the children of, each with its place."""
        if self.parents is not None:
            return enumerate(self.parents)
        if self.numbers is not None:
            return zip(self.numbers, self.records, strict=True)
        return enumerate(self.records)


Plan = Iterator[tuple["Window | None", list[Request]]]
"""Windows, each with the first request of each of its chains; groups that no window bounds."""


@dataclass(slots=True)
class Child:
    """A list to be read below one record.

    Attributes:
        plan: What to ask for, once that was planned.
    """

    node: Node
    context: dict[str, Any]
    place: Place
    plan: Plan | None = None
