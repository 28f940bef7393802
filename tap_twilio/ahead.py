"""Ordered, bounded look-ahead: pages are asked for before their turn, and taken in it.

One thread plans and emits; workers only fetch. Every page that will be wanted has a place in
the order of emission, and what is asked ahead is always the nearest that is known. Look-ahead is
only a hint: the number of pages in flight or waiting is bounded, and a page that was not asked
ahead is asked when its turn comes.
"""

from __future__ import annotations

import heapq
import itertools
import queue
import threading
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from tap_twilio.http.errors import TapError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Order = tuple[float, ...]
"""A place in the order of emission: compared part by part, an outer part first."""

PAGES_PER_REQUEST = 2
"""Pages in flight or waiting, for each request that may be in flight."""

LIGHT_PAGES_PER_REQUEST = 8
"""The same of pages of which little is kept."""

RESERVE = 2
"""How many times this number all pages together may reach, so that those that are wanted soon
find room though others, known earlier, have filled it."""

MIB = 1024 * 1024

WORKER = "tap-twilio-fetch"
"""Name of the threads that ask Twilio."""

BYTES_AHEAD = 24 * MIB
"""Bound on the memory of pages in flight or waiting; those in flight count as much as others of
their kind had."""


class Ask(Protocol):
    """A page to be wanted.

    Attributes:
        order: Its place.
    """

    order: Order

    @property
    def height(self) -> int:
        """Levels of children that hang below its rows: 0 where none do."""

    @property
    def light(self) -> bool:
        """Whether little of the page is kept, so that it takes no room from others."""

    @property
    def kind(self) -> str:
        """Name that pages of like size share: the stream's."""

    def fetch(self) -> Any:  # noqa: ANN401
        """Ask Twilio for the page; called by a worker.

        The page tells its ``length``, in bytes that came, and its ``size``, in bytes that it
        takes. What follows it may change its size.
        """

    def follow(self, page: Any) -> Iterable[Iterator[Any]]:  # noqa: ANN401
        """Tell which pages will be wanted after this one; called by the planning thread."""

    def may_go(self) -> bool:
        """Tell whether the account bears another request now."""


@dataclass(slots=True)
class _Entry:
    ask: Ask
    kind: str
    height: int
    light: bool
    page: Any = None
    error: BaseException | None = None
    done: bool = False
    size: int = 0


@dataclass
class Ahead:
    """Fetches pages ahead of their turn.

    Attributes:
        workers: Most requests in flight.
        checkpoint: Called before each wait; raises to end the run.
    """

    workers: int
    checkpoint: Callable[[], None] = lambda: None
    _entries: dict[Order, _Entry] = field(default_factory=dict)
    _plans: list[tuple[Order, int, Ask, Iterator[Ask]]] = field(default_factory=list)
    _count: Iterator[int] = field(default_factory=itertools.count)
    _position: Order = ()
    _in_flight: int = 0
    _lengths: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    _asked: queue.SimpleQueue[_Entry | None] = field(default_factory=queue.SimpleQueue)
    _brought: queue.SimpleQueue[_Entry | None] = field(default_factory=queue.SimpleQueue)
    _threads: list[threading.Thread] = field(default_factory=list)

    def begin(self) -> Order:
        """Start a traversal that comes after all that were started before.

        Returns:
            The first part of its places.
        """
        return (next(self._count),)

    def hint(self, asks: Iterator[Any]) -> None:
        """Announce pages that will be wanted.

        Args:
            asks: The pages, nearest first; drawn from only as there is room.
        """
        ask = next(asks, None)
        if ask is not None:
            heapq.heappush(self._plans, (ask.order, next(self._count), ask, asks))

    def take(self, ask: Ask) -> Any:  # noqa: ANN401
        """Get a page whose turn has come.

        Args:
            ask: The page; its place must be after that of the page taken before.

        Returns:
            The page.

        Raises:
            BaseException: Whatever kept the worker from bringing it.
        """
        self.checkpoint()
        self._advance(ask.order)
        entry = self._entries.pop(ask.order, None)
        if entry is None or entry.ask != ask:
            entry = self._send(ask)
        self._collect(wait=False)
        self._pump()
        self._wait(entry)
        if entry.error is not None:
            raise entry.error
        return entry.page

    def _wait(self, entry: _Entry) -> None:
        while not entry.done:
            self.checkpoint()
            self._collect(wait=True)
            self._pump()

    def skip(self, order: Order) -> None:
        """Give up a part of the traversal: nothing below a place will be wanted.

        Args:
            order: The place.
        """
        self._advance((*order, float("inf")))

    def wake(self) -> None:
        """Make a waiting :meth:`take` look at its checkpoint; safe in a signal handler."""
        self._brought.put(None)

    def close(self) -> None:
        """Let the workers end. They hold nothing that must be kept."""
        for _ in self._threads:
            self._asked.put(None)
        self._threads.clear()

    def _advance(self, position: Order) -> None:
        self._position = max(self._position, position)
        for order in [order for order in self._entries if order < self._position]:
            del self._entries[order]

    def _send(self, ask: Ask) -> _Entry:
        entry = _Entry(ask, ask.kind, ask.height, ask.light)
        self._in_flight += 1
        # One worker more than requests: a page whose turn has come never waits for a free one.
        if len(self._threads) <= min(self._in_flight, self.workers):
            thread = threading.Thread(target=self._work, name=WORKER, daemon=True)
            self._threads.append(thread)
            thread.start()
        self._asked.put(entry)
        return entry

    def _work(self) -> None:
        while (entry := self._asked.get()) is not None:
            try:
                entry.page = entry.ask.fetch()
            except BaseException as error:  # noqa: BLE001
                entry.error = error
            self._brought.put(entry)

    def _collect(self, *, wait: bool) -> None:
        try:
            entry = self._brought.get(block=wait)
            while True:
                if entry is not None:
                    self._arrive(entry)
                    # At once: telling what follows each takes a while where many have come.
                    self._pump()
                entry = self._brought.get(block=False)
        except queue.Empty:
            return

    def _arrive(self, entry: _Entry) -> None:
        entry.done = True
        self._in_flight -= 1
        page = entry.page
        if page is None:
            return
        if entry.ask.order >= self._position:
            try:
                for asks in entry.ask.follow(page):
                    self.hint(asks)
            except TapError as error:
                # It comes in this page's turn: here, whichever is waited for would pay for it.
                entry.error = error
                return
        entry.size = page.size
        # Those that come next may be as large, though the last ones were small.
        usual = self._lengths[entry.kind] * 63 // 64
        self._lengths[entry.kind] = max(page.length, page.size, usual)

    def _pump(self) -> None:
        blocked, full = [], set()
        while self._plans and self._in_flight < self.workers:
            plan = heapq.heappop(self._plans)
            order, _, ask, rest = plan
            if order > self._position and order not in self._entries:
                lot = ask.height, ask.light, ask.kind
                if lot in full or not ask.may_go():
                    blocked.append(plan)
                    continue
                if not self._admits(ask):
                    # Nor any that comes later.
                    full.add(lot)
                    blocked.append(plan)
                    continue
                self._entries[order] = self._send(ask)
            self.hint(rest)
        for plan in blocked:
            heapq.heappush(self._plans, plan)

    def _admits(self, ask: Ask) -> bool:
        """Whether there is room to ask for a page ahead.

        Only pages that come before it count, up to a bound on all: otherwise those of a later
        stream, known first, would leave this one's none. For the same reason pages with children
        below them may take half of the room, those with grandchildren a quarter and so on.
        """
        height, light, expected = ask.height, ask.light, self._lengths[ask.kind]
        sooner = rivals = 0
        near = held = expected
        for order, entry in self._entries.items():
            size = entry.size if entry.done else self._lengths[entry.kind]
            held += size
            if entry.height >= height and entry.light == light:
                rivals += 1
                if order < ask.order:
                    sooner += 1
                    near += size
        pages = self.workers * (LIGHT_PAGES_PER_REQUEST if light else PAGES_PER_REQUEST)
        room = max(1, pages >> height)
        if sooner >= room or rivals >= RESERVE * room:
            return False
        # Some room is always there for the nearest, whatever others have filled.
        return held <= BYTES_AHEAD >> height or near <= BYTES_AHEAD >> (height + 2)
