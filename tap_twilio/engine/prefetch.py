"""Ordered, bounded prefetch: pages are asked for before their turn, and taken in it.

One thread plans and emits; workers only fetch. Every page that will be wanted has a place in
the order of emission, and what is prefetched is always the nearest that is known. It is only a
hint: the number of pages in flight or waiting is bounded, and a page that was not prefetched is
asked for when its turn comes.
"""

from __future__ import annotations

import heapq
import itertools
import queue
import threading
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from tap_twilio.engine.requests import Place
from tap_twilio.http.errors import TapError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tap_twilio.engine.requests import Batch, Fetched, Request

PAGES_PER_REQUEST: Final = 2
"""Pages in flight or waiting, for each request that may be in flight."""

LIGHT_PAGES_PER_REQUEST: Final = 8
"""The same of pages of which little is kept."""

RESERVE: Final = 2
"""All pages together may be this many times as many: those that are wanted soon find room though
others, known earlier, have filled it."""

WORKER: Final = "tap-twilio-fetch"
"""Name of the threads that ask Twilio."""

BYTES_AHEAD: Final = 24 * 1024 * 1024
"""Bound on the memory of pages in flight or waiting; those in flight count as much as others of
their kind had."""


@dataclass(slots=True)
class _Entry:
    request: Request
    kind: str
    height: int
    is_light: bool
    result: Fetched | Batch | BaseException | None = None
    size: int = 0


@dataclass
class Prefetch:
    """Fetches pages ahead of their turn.

    Attributes:
        workers: Most requests in flight.
        fetch: Asks Twilio for a page; called by workers.
        arrive: Gives what is kept of a page that came, and what will be wanted after it, as
            iterators that are drawn from as there is room; called by the planning thread.
        has_room: Whether the account of a request bears another one now.
        checkpoint: Called before each wait; raises to end the run.
        pause: Most seconds between two such calls; none if a wait may last.
    """

    workers: int
    fetch: Callable[[Request], Fetched]
    arrive: Callable[[Fetched], tuple[Fetched | Batch, list[Iterator[Request]]]]
    has_room: Callable[[Request], bool]
    checkpoint: Callable[[], None]
    pause: float | None = None
    _entries: dict[Place, _Entry] = field(default_factory=dict)
    _plans: list[tuple[Place, int, Request, Iterator[Request]]] = field(default_factory=list)
    _count: Iterator[int] = field(default_factory=itertools.count)
    _position: Place = field(default_factory=Place)
    _in_flight: int = 0
    _lengths: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    _asked: queue.SimpleQueue[_Entry | None] = field(default_factory=queue.SimpleQueue)
    _brought: queue.SimpleQueue[tuple[_Entry, Fetched | BaseException] | None] = field(
        default_factory=queue.SimpleQueue
    )
    _threads: list[threading.Thread] = field(default_factory=list)

    def begin(self) -> Place:
        """Give the place of a traversal that comes after all that were begun before."""
        return Place((next(self._count),))

    def hint(self, requests: Iterator[Request]) -> None:
        """Announce pages that will be wanted, nearest first; drawn from only as there is room."""
        request = next(requests, None)
        if request is not None:
            heapq.heappush(self._plans, (request.place, next(self._count), request, requests))

    def take(self, request: Request) -> Fetched | Batch:
        """Get a page whose turn has come: its place is after that of the page taken before.

        Raises:
            BaseException: Whatever kept the worker from bringing it.
        """
        self.checkpoint()
        self._advance(request.place)
        entry = self._entries.pop(request.place, None)
        if entry is None or entry.request != request:
            entry = self._send(request)
        self._collect(wait=False)
        self._pump()
        while (result := entry.result) is None:
            self.checkpoint()
            self._collect(wait=True)
            self._pump()
        if isinstance(result, BaseException):
            raise result
        return result

    def skip(self, place: Place) -> None:
        """Give up a part of the traversal: nothing below a place will be wanted."""
        self._advance(place.end)

    def wake(self) -> None:
        """Make a waiting :meth:`take` look at its checkpoint; safe in a signal handler."""
        self._brought.put(None)

    def close(self) -> None:
        """Let the workers end. They hold nothing that must be kept."""
        for _ in self._threads:
            self._asked.put(None)
        self._threads.clear()

    def _advance(self, position: Place) -> None:
        self._position = max(self._position, position)
        for place in [place for place in self._entries if place < self._position]:
            del self._entries[place]

    def _send(self, request: Request) -> _Entry:
        entry = _Entry(request, request.kind, request.height, request.is_light)
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
                self._brought.put((entry, self.fetch(entry.request)))
            except BaseException as error:  # noqa: BLE001 - whoever waits for the page raises it
                self._brought.put((entry, error))
            # Else it would keep the page until there is another one to ask for.
            del entry

    def _collect(self, *, wait: bool) -> None:
        try:
            brought = self._brought.get(block=wait, timeout=self.pause)
            while True:
                if brought is not None:
                    self._arrive(*brought)
                    # At once: where many pages have come, it takes a while to take in all.
                    self._pump()
                brought = self._brought.get(block=False)
        except queue.Empty:
            return

    def _arrive(self, entry: _Entry, brought: Fetched | BaseException) -> None:
        self._in_flight -= 1
        entry.result = brought
        if isinstance(brought, BaseException):
            return
        page: Fetched | Batch = brought
        if entry.request.place >= self._position:
            try:
                page, plans = self.arrive(brought)
            except TapError as error:
                # It is raised in this page's turn: here, it would hit the page that is waited for.
                entry.result = error
                return
            for requests in plans:
                self.hint(requests)
        entry.result, entry.size = page, page.size
        # Those that come next may be as large, though the last ones were small.
        usual = self._lengths[entry.kind] * 63 // 64
        self._lengths[entry.kind] = max(brought.length, page.size, usual)

    def _pump(self) -> None:
        blocked, full = [], set()
        while self._plans and self._in_flight < self.workers:
            plan = heapq.heappop(self._plans)
            place, _, request, rest = plan
            if place > self._position and place not in self._entries:
                lot = request.height, request.is_light, request.kind
                if lot in full or not self.has_room(request):
                    blocked.append(plan)
                    continue
                if not self._admits(request):
                    # Nor is there room for any that comes later.
                    full.add(lot)
                    blocked.append(plan)
                    continue
                self._entries[place] = self._send(request)
            self.hint(rest)
        for plan in blocked:
            heapq.heappush(self._plans, plan)

    def _admits(self, request: Request) -> bool:
        """Whether there is room to ask for a page ahead.

        Only pages that come before it count, up to a bound on all: otherwise those of a later
        stream, known first, would leave this one's none. For the same reason pages with children
        below them may take half of the room, those with grandchildren a quarter and so on.
        """
        height, is_light = request.height, request.is_light
        sooner = rivals = 0
        near = held = self._lengths[request.kind]
        for place, entry in self._entries.items():
            size = self._lengths[entry.kind] if entry.result is None else entry.size
            held += size
            if entry.height >= height and entry.is_light == is_light:
                rivals += 1
                if place < request.place:
                    sooner += 1
                    near += size
        pages = self.workers * (LIGHT_PAGES_PER_REQUEST if is_light else PAGES_PER_REQUEST)
        room = max(1, pages >> height)
        if sooner >= room or rivals >= RESERVE * room:
            return False
        # Some room is always there for the nearest, whatever others have filled.
        return held <= BYTES_AHEAD >> height or near <= BYTES_AHEAD >> (height + 2)
