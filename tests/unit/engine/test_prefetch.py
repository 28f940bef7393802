"""Prefetch: in order, bounded, and never the wrong page."""

from __future__ import annotations

import heapq
import queue
import threading
import time
import weakref
from dataclasses import dataclass, field, replace
from itertools import count
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tap_twilio.engine.prefetch import (
    BYTES_AHEAD,
    LIGHT_PAGES_PER_REQUEST,
    PAGES_PER_REQUEST,
    RESERVE,
    Prefetch,
)
from tap_twilio.engine.requests import Place
from tap_twilio.http.errors import TapError


class Machine:
    """Runs the workers in one thread, by a clock that goes on as their pages come.

    Attributes:
        now: What time it is.
        workers: Threads that were started.
        closed: Those that were told to end.
        begun: Names of the pages that workers began to fetch.
        fetched: Names of those that came.
        arrived: Names of those of which something was kept.
        most: How many were fetched at once.
    """

    def __init__(self):
        self.now = 0.0
        self.workers = self.closed = self.most = 0
        self.begun, self.fetched, self.arrived = [], [], []
        self._numbers = count()
        self._waiting, self._running, self._arrived, self._events = [], [], [], []
        self._handed = None
        self.threading = SimpleNamespace(Thread=self._thread)
        self.asked = SimpleNamespace(put=self._ask, get=self._hand)
        self.brought = SimpleNamespace(put=self._arrived.append, get=self._bring)

    def at(self, moment, action):
        heapq.heappush(self._events, (moment, next(self._numbers), action))

    @property
    def is_idle(self):
        return not self._running and not self._waiting

    def _thread(self, *, target, name, daemon):
        assert name
        assert daemon, "a run that ends must not wait for what it asked"
        self._work = target

        def start():
            self.workers += 1

        return SimpleNamespace(start=start)

    def _ask(self, entry):
        if entry is None:
            self.closed += 1
        else:
            self._waiting.append(entry)
            self._begin()

    def _begin(self):
        while self._waiting and len(self._running) < self.workers:
            entry = self._waiting.pop(0)
            end = self.now + entry.request.delay
            heapq.heappush(self._running, (end, next(self._numbers), self.now, entry))
            self.begun.append(entry.request.name)
            self.most = max(self.most, len(self._running))

    def _hand(self):
        handed, self._handed = self._handed, None
        return handed

    def _finish(self):
        end, _, began, entry = heapq.heappop(self._running)
        now, self.now, self._handed = self.now, began, entry
        self._work()
        self.fetched.append(entry.request.name)
        self.now = end
        self._begin()
        self.now = max(now, end)

    def _bring(self, *, block, timeout=None):
        last = self.now + (timeout or float("inf"))
        while not self._arrived:
            ends = [heap[0][0] for heap in (self._running, self._events) if heap]
            if block and ends and min(ends) > last:
                self.now = last
                raise queue.Empty
            if not ends or (not block and min(ends) > self.now):
                assert not block, "nobody would end this wait"
                raise queue.Empty
            if self._running and self._running[0][0] == min(ends):
                self._finish()
            else:
                moment, _, action = heapq.heappop(self._events)
                self.now = max(self.now, moment)
                action()
        return self._arrived.pop(0)


@dataclass(frozen=True)
class Body:
    """A page: as it came, and as it is kept."""

    want: Want
    length: int
    size: int

    @property
    def name(self):
        return self.want.name


@dataclass
class Want:
    """A request, with what becomes of it."""

    place: tuple
    name: str
    machine: Machine = field(compare=False)
    size: int = 10
    height: int = 0
    kind: str = "things"
    is_light: bool = False
    delay: float = 0.001
    below: list = field(default_factory=list, compare=False)
    error: Exception | None = None
    free: bool = True
    kept: float = 1.0
    strange: Exception | None = None

    def __post_init__(self):
        self.place = Place(self.place)


def fetch(want):
    want.machine.now += want.delay
    if want.error:
        raise want.error
    return Body(want, want.size, want.size)


def arrive(body):
    want = body.want
    if want.strange:
        raise want.strange
    want.machine.arrived.append(want.name)
    kept = replace(body, size=int(body.length * want.kept))
    return kept, [iter(want.below)] if want.below else []


def prefetch_of(machine, workers, checkpoint=lambda: None):
    return Prefetch(
        workers,
        fetch,
        arrive,
        lambda want: want.free,
        checkpoint,
        _asked=machine.asked,
        _brought=machine.brought,
    )


@pytest.fixture
def machine(monkeypatch):
    machine = Machine()
    monkeypatch.setattr("tap_twilio.engine.prefetch.threading", machine.threading)
    return machine


def wants_of(machine, number, *, first=(0,), prefix="", **options):
    return [Want((*first, n), f"{prefix}{n}", machine, **options) for n in range(number)]


def take_all(prefetch, wants):
    names = []
    for want in wants:
        names += [prefetch.take(want).name, *take_all(prefetch, want.below)]
    return names


PAUSES = count(-1_000_000)


def settled(prefetch, machine):
    """Let what may be prefetched arrive, as a thread that emits would; tell how many came."""
    before = None
    while before != (len(machine.begun), machine.is_idle):
        before = len(machine.begun) + 1, True
        machine.now += 1000
        prefetch.take(Want((0, next(PAUSES)), "pause", machine, kind="pause", delay=0))
    return [name for name in machine.begun if name != "pause"]


# --- Order ---------------------------------------------------------------------------------------


@settings(max_examples=30)
@given(
    delays=st.lists(st.floats(0, 1), min_size=1, max_size=12),
    workers=st.integers(1, 9),
    chance=st.randoms(use_true_random=False),
)
def test_each_page_comes_once_and_in_order_whatever_the_delays(delays, workers, chance):
    with pytest.MonkeyPatch.context() as patch:
        machine = Machine()
        patch.setattr("tap_twilio.engine.prefetch.threading", machine.threading)
        wants = wants_of(machine, len(delays), height=1)
        for number, want in enumerate(wants):
            want.delay = delays[number]
            want.below = [
                Want((0, number, n), f"{number}.{n}", machine, delay=chance.random())
                for n in range(chance.randint(0, 3))
            ]
        prefetch = prefetch_of(machine, workers)
        prefetch.hint(iter(wants))

        names = take_all(prefetch, wants)

        every = [name for want in wants for name in (want.name, *(one.name for one in want.below))]
        assert names == every
        assert sorted(machine.begun) == sorted(every)
        assert machine.workers <= workers + 1


def test_traversals_come_one_after_the_other(machine):
    prefetch = prefetch_of(machine, 2)

    assert prefetch.begin() < prefetch.begin() < prefetch.begin()


def test_children_are_prefetched_and_come_before_the_next_parent(machine):
    parents = wants_of(machine, 5, prefix="p", height=1, delay=0.01)
    for p, parent in enumerate(parents):
        parent.below = wants_of(machine, 20, first=(0, p), prefix=f"p{p}c", delay=0.01)
    prefetch = prefetch_of(machine, 8)
    prefetch.hint(iter(parents))

    names = take_all(prefetch, parents)

    assert names == [
        name for p in range(5) for name in [f"p{p}", *(f"p{p}c{c}" for c in range(20))]
    ]
    assert machine.most >= 8
    assert machine.now < 0.25, "all in turn would take more than a second"


def test_the_nearest_page_is_asked_for_first(machine):
    prefetch = prefetch_of(machine, 2)
    prefetch.hint(iter(wants_of(machine, 9, first=(2,), prefix="late")))
    prefetch.hint(iter(wants_of(machine, 9, first=(1,), prefix="soon")))
    prefetch.take(Want((0, 0), "first", machine))

    assert machine.begun[:3] == ["first", "soon0", "soon1"]


def test_a_hint_of_nothing_is_none(machine):
    prefetch = prefetch_of(machine, 2)
    prefetch.hint(iter([]))

    assert prefetch.take(Want((0, 0), "a", machine)).name == "a"


def test_a_page_in_anothers_place_is_never_given(machine):
    prefetch = prefetch_of(machine, 4)
    prefetch.hint(iter([Want((0, 1), "hinted", machine)]))
    prefetch.take(Want((0, 0), "first", machine))
    machine.now += 1

    assert prefetch.take(Want((0, 1), "wanted", machine)).name == "wanted"
    assert "hinted" in machine.fetched


def test_a_page_that_was_prefetched_is_not_asked_for_again(machine):
    prefetch = prefetch_of(machine, 4)
    wants = wants_of(machine, 3)
    prefetch.hint(iter(wants))
    prefetch.hint(iter(wants))

    assert take_all(prefetch, wants) == ["0", "1", "2"]
    assert sorted(machine.begun) == ["0", "1", "2"]


def test_what_was_taken_is_not_prefetched(machine):
    prefetch = prefetch_of(machine, 4)
    wants = wants_of(machine, 6)
    take_all(prefetch, wants[:3])
    prefetch.hint(iter(wants))

    assert take_all(prefetch, wants[3:]) == ["3", "4", "5"]
    assert sorted(machine.begun) == ["0", "1", "2", "3", "4", "5"]


def test_what_is_skipped_is_not_asked_any_more(machine):
    prefetch = prefetch_of(machine, 2)
    wants = wants_of(machine, 50, first=(0, 0), prefix="a")
    prefetch.hint(iter(wants))
    prefetch.take(wants[0])
    prefetch.skip(Place((0, 0)))

    assert prefetch.take(Want((0, 1, 0), "b", machine)).name == "b"
    assert len(machine.begun) <= 6
    # What comes too late has nothing below it that anybody wants.
    wants[1].below = wants_of(machine, 5, first=(0, 0, 1), prefix="late")
    prefetch.take(Want((0, 2, 0), "c", machine, delay=1))
    assert not [name for name in machine.begun if name.startswith("late")]


def test_nothing_is_kept_of_a_page_that_was_given_up(machine):
    prefetch = prefetch_of(machine, 2)
    prefetch.hint(iter(wants_of(machine, 2, first=(0, 1), delay=1)))
    prefetch.take(Want((0, 0), "first", machine))
    prefetch.skip(Place((0,)))
    machine.now += 10
    prefetch.take(Want((1, 0), "next", machine))

    assert sorted(machine.fetched) == ["0", "1", "first", "next"]
    assert machine.arrived == ["first", "next"]


def test_an_error_comes_when_its_page_is_taken_and_only_then(machine):
    wants = wants_of(machine, 10)
    wants[5].error = ValueError("five")
    prefetch = prefetch_of(machine, 8)
    prefetch.hint(iter(wants))

    take_all(prefetch, wants[:5])
    with pytest.raises(ValueError, match="five"):
        prefetch.take(wants[5])
    assert prefetch.take(wants[6]).name == "6"


def test_a_page_that_nothing_can_be_made_of_is_told_in_its_turn(machine):
    wants = wants_of(machine, 3)
    wants[0].delay = 0.1
    wants[2].strange = TapError("two")
    prefetch = prefetch_of(machine, 8)
    prefetch.hint(iter(wants))

    take_all(prefetch, wants[:2])
    with pytest.raises(TapError, match="two"):
        prefetch.take(wants[2])


# --- How many at once ----------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_requests_overlap_up_to_the_bound_and_no_further(machine, workers):
    prefetch = prefetch_of(machine, workers)
    wants = wants_of(machine, 60, delay=0.005)
    prefetch.hint(iter(wants))
    take_all(prefetch, wants)

    # One more than the bound: the page whose turn has come never waits for a free worker.
    assert workers <= machine.most <= workers + 1
    assert machine.workers <= workers + 1
    assert machine.now == pytest.approx(60 / workers * 0.005, rel=0.1)


def test_a_page_whose_turn_has_come_never_waits_for_a_free_worker(machine):
    prefetch = prefetch_of(machine, 2)
    prefetch.hint(iter(wants_of(machine, 5, first=(5,), delay=100)))
    prefetch.take(Want((0, 0), "first", machine, delay=1))

    prefetch.take(Want((0, 1), "next", machine, delay=1))

    assert machine.now == 2
    assert machine.workers == 3


def test_no_more_workers_are_started_than_may_be_busy(machine):
    prefetch = prefetch_of(machine, 9)
    take_all(prefetch, wants_of(machine, 5))

    assert machine.workers == 2


def test_nothing_is_prefetched_while_the_account_bears_no_more(machine):
    prefetch = prefetch_of(machine, 4)
    busy = wants_of(machine, 3, first=(1,), prefix="busy", free=False)
    prefetch.hint(iter(busy))
    prefetch.hint(iter(wants_of(machine, 3, first=(2,), prefix="free")))
    assert settled(prefetch, machine) == ["free0", "free1", "free2"]

    for want in busy:
        want.free = True
    assert settled(prefetch, machine)[3:] == ["busy0", "busy1", "busy2"]


# --- How many wait -------------------------------------------------------------------------------


def test_waiting_pages_are_bounded_by_number(machine):
    prefetch = prefetch_of(machine, 4)
    wants = wants_of(machine, 100)
    prefetch.hint(iter(wants))
    assert len(settled(prefetch, machine)) == 4 * PAGES_PER_REQUEST

    for taken, want in enumerate(wants, start=1):
        prefetch.take(want)
        machine.now += 1
        assert (
            len([one for one in machine.begun if one != "pause"]) - taken <= 4 * PAGES_PER_REQUEST
        )


def test_there_is_room_for_one_page_at_least(machine):
    prefetch = prefetch_of(machine, 1)
    prefetch.hint(iter(wants_of(machine, 100, height=9)))

    assert len(settled(prefetch, machine)) == 1


@pytest.mark.parametrize(("height", "share"), [(0, 1), (1, 2), (2, 4), (3, 8)])
def test_parents_leave_room_for_their_children(machine, height, share):
    prefetch = prefetch_of(machine, 8)
    prefetch.hint(iter(wants_of(machine, 40, height=height)))

    assert len(settled(prefetch, machine)) == 8 * PAGES_PER_REQUEST // share


def test_pages_known_early_leave_room_for_sooner_ones(machine):
    prefetch = prefetch_of(machine, 4)
    prefetch.hint(iter(wants_of(machine, 40, first=(1,), prefix="later")))
    filled = settled(prefetch, machine)
    prefetch.hint(iter(wants_of(machine, 40, first=(0,), prefix="sooner")))
    found = settled(prefetch, machine)

    assert len(filled) == 4 * PAGES_PER_REQUEST
    assert [name for name in found if name.startswith("later")] == filled
    assert len(found) == 2 * len(filled)


def test_of_all_pages_a_few_times_as_many_may_wait(machine):
    prefetch = prefetch_of(machine, 4)
    for part in (5, 4, 3, 2, 1):
        prefetch.hint(iter(wants_of(machine, 40, first=(part,), prefix=f"{part}/")))
        found = settled(prefetch, machine)

    assert len(found) == RESERVE * 4 * PAGES_PER_REQUEST


def test_children_find_room_beside_parents_that_wait(machine):
    prefetch = prefetch_of(machine, 4)
    prefetch.hint(iter(wants_of(machine, 40, first=(0,), prefix="parent", height=1)))
    parents = settled(prefetch, machine)
    prefetch.hint(iter(wants_of(machine, 40, first=(0, 5), prefix="child")))
    children = settled(prefetch, machine)[len(parents) :]

    assert len(parents) == 4
    assert len(children) == 4 * PAGES_PER_REQUEST - 4


def test_parents_find_room_beside_children_that_wait(machine):
    prefetch = prefetch_of(machine, 4)
    prefetch.hint(iter(wants_of(machine, 40, first=(0,), prefix="child")))
    children = settled(prefetch, machine)
    prefetch.hint(iter(wants_of(machine, 40, first=(1,), prefix="parent", height=1)))
    parents = settled(prefetch, machine)[len(children) :]

    assert len(children) == 4 * PAGES_PER_REQUEST
    assert len(parents) == 4 * PAGES_PER_REQUEST // 2


def test_what_was_skipped_takes_no_room(machine):
    prefetch = prefetch_of(machine, 4)
    prefetch.hint(iter(wants_of(machine, 40, first=(1,), prefix="skipped")))
    skipped = settled(prefetch, machine)
    prefetch.skip(Place((1,)))
    prefetch.hint(iter(wants_of(machine, 40, first=(2,))))
    found = settled(prefetch, machine)[len(skipped) :]

    assert found == [str(n) for n in range(4 * PAGES_PER_REQUEST)]


def test_pages_of_which_little_is_kept_take_no_room(machine):
    prefetch = prefetch_of(machine, 4)
    prefetch.hint(iter(wants_of(machine, 40, first=(0,), prefix="heavy")))
    prefetch.hint(iter(wants_of(machine, 80, first=(1,), prefix="light", is_light=True)))
    found = settled(prefetch, machine)

    heavy = [name for name in found if name.startswith("heavy")]
    assert len(heavy) == 4 * PAGES_PER_REQUEST
    assert len(found) - len(heavy) == 4 * LIGHT_PAGES_PER_REQUEST


# --- How many bytes wait -------------------------------------------------------------------------


def learn(prefetch, machine, size, *, number=8, **options):
    """Let it be known how large such pages are."""
    wants = [Want((0, next(PAUSES)), "known", machine, size=size, **options) for _ in range(number)]
    take_all(prefetch, wants)
    machine.begun.clear()


def admitted(prefetch, machine, **options):
    """Tell how many pages are prefetched at once."""
    machine.begun.clear()
    prefetch.hint(iter(wants_of(machine, 100, first=(2,), prefix="early", **options)))
    prefetch.take(Want((2, -1), "pause", machine, kind="pause", delay=0))
    return len([name for name in machine.begun if name.startswith("early")])


@pytest.mark.parametrize(("size", "number"), [(BYTES_AHEAD // 4, 4), (BYTES_AHEAD // 3, 3)])
def test_waiting_pages_are_bounded_by_bytes(machine, size, number):
    prefetch = prefetch_of(machine, 16)
    learn(prefetch, machine, size)
    prefetch.hint(iter(wants_of(machine, 40, first=(1,), size=size)))

    assert len(settled(prefetch, machine)) == number


@pytest.mark.parametrize(("height", "number"), [(0, 8), (1, 4), (2, 2)])
def test_parents_leave_room_in_bytes_too(machine, height, number):
    prefetch = prefetch_of(machine, 16)
    learn(prefetch, machine, BYTES_AHEAD // 8)
    prefetch.hint(iter(wants_of(machine, 40, first=(1,), size=BYTES_AHEAD // 8, height=height)))

    assert len(settled(prefetch, machine)) == number


def test_a_page_counts_as_large_as_those_of_its_kind_were(machine):
    prefetch = prefetch_of(machine, 16)
    learn(prefetch, machine, BYTES_AHEAD // 2, kind="large")
    learn(prefetch, machine, 10, kind="small")
    prefetch.hint(iter(wants_of(machine, 40, first=(1,), size=BYTES_AHEAD // 2, kind="large")))
    assert len(settled(prefetch, machine)) == 2

    machine.begun.clear()
    prefetch.hint(iter(wants_of(machine, 40, first=(2,), kind="small")))
    assert len(settled(prefetch, machine)) == 0, "what comes after has no room besides"


def test_one_small_page_does_not_make_the_next_small(machine):
    prefetch = prefetch_of(machine, 16)
    learn(prefetch, machine, BYTES_AHEAD // 4)
    learn(prefetch, machine, 10, number=1)
    prefetch.hint(iter(wants_of(machine, 40, first=(1,), size=BYTES_AHEAD // 4)))

    assert len(settled(prefetch, machine)) == 4


def test_many_small_pages_do(machine):
    prefetch = prefetch_of(machine, 16)
    learn(prefetch, machine, BYTES_AHEAD // 4)
    learn(prefetch, machine, 10, number=1000)

    assert admitted(prefetch, machine, size=BYTES_AHEAD // 4) == 16


@pytest.mark.parametrize(("kept", "number"), [(0.5, 15), (1, 8), (2, 4), (4, 2)])
def test_a_page_counts_as_large_as_it_is_once_decoded(machine, kept, number):
    prefetch = prefetch_of(machine, 16)
    learn(prefetch, machine, BYTES_AHEAD // 8, kept=kept)
    wants = wants_of(machine, 40, first=(1,), size=BYTES_AHEAD // 8, kept=kept)
    prefetch.hint(iter(wants))

    assert len(settled(prefetch, machine)) == number


def test_later_pages_that_turn_out_large_leave_room_for_the_nearest(machine):
    prefetch = prefetch_of(machine, 16)
    size = BYTES_AHEAD // 4
    prefetch.hint(iter(wants_of(machine, 40, first=(1,), prefix="later", size=size, kind="large")))
    later = settled(prefetch, machine)
    prefetch.hint(iter(wants_of(machine, 40, first=(0,), prefix="sooner", size=BYTES_AHEAD // 20)))
    sooner = settled(prefetch, machine)[len(later) :]

    assert len(later) * size > 2 * BYTES_AHEAD
    assert len(sooner) >= 4


def test_pages_of_which_little_is_kept_are_bounded_by_bytes_as_they_are_asked(machine):
    prefetch = prefetch_of(machine, 16)
    learn(prefetch, machine, BYTES_AHEAD // 8)
    prefetch.hint(iter(wants_of(machine, 80, first=(1,), is_light=True, size=BYTES_AHEAD // 8)))

    assert len(settled(prefetch, machine)) == 8


@pytest.mark.parametrize(("height", "number"), [(0, 8), (1, 4), (2, 2)])
def test_some_room_is_there_for_the_nearest_whatever_others_have_filled(machine, height, number):
    prefetch = prefetch_of(machine, 16)
    light = {"is_light": True, "kind": "light", "size": BYTES_AHEAD // 32}
    learn(prefetch, machine, **light)
    large = {"kind": "large", "size": BYTES_AHEAD // 8}
    prefetch.hint(iter(wants_of(machine, 8, first=(9,), prefix="large", **large)))
    assert len(settled(prefetch, machine)) == 8
    machine.begun.clear()

    prefetch.hint(iter(wants_of(machine, 80, first=(1,), height=height, **light)))
    assert len(settled(prefetch, machine)) == number


# --- The end -------------------------------------------------------------------------------------


class StopError(Exception):
    pass


def test_the_checkpoint_comes_before_each_page(machine):
    calls = []
    prefetch = prefetch_of(machine, 2, lambda: calls.append(machine.now))
    wants = wants_of(machine, 3)
    prefetch.hint(iter(wants))
    prefetch.take(wants[0])
    machine.now += 10
    prefetch.take(wants[1])

    assert calls[0] == 0
    assert calls[-1] == machine.now


def test_the_checkpoint_ends_a_wait(machine):
    stop = []

    def checkpoint():
        if stop:
            raise StopError

    prefetch = prefetch_of(machine, 2, checkpoint)
    machine.at(0.5, lambda: (stop.append(1), prefetch.wake()))

    with pytest.raises(StopError):
        prefetch.take(Want((0, 0), "slow", machine, delay=600))
    assert machine.now == 0.5


def test_the_checkpoint_comes_every_so_often_where_that_is_wanted(machine):
    moments = []
    prefetch = prefetch_of(machine, 2, lambda: moments.append(machine.now))
    prefetch.pause = 0.25

    prefetch.take(Want((0, 0), "slow", machine, delay=1.1))

    assert moments == [0.0, 0.0, 0.25, 0.5, 0.75, 1.0]


def test_each_worker_is_told_to_end_once(machine):
    prefetch = prefetch_of(machine, 4)
    wants = wants_of(machine, 20)
    prefetch.hint(iter(wants))
    take_all(prefetch, wants)
    prefetch.close()
    prefetch.close()

    assert machine.closed == machine.workers > 1


# --- In threads ----------------------------------------------------------------------------------


def test_pages_are_fetched_in_threads_that_end():
    before = set(threading.enumerate())
    together = threading.Barrier(4)
    wants = wants_of(SimpleNamespace(now=0, arrived=[]), 40)

    def meet(want):
        together.wait(60)
        return fetch(want)

    prefetch = Prefetch(4, meet, arrive, lambda _: True, lambda: None)
    prefetch.hint(iter(wants))

    assert take_all(prefetch, wants) == [str(n) for n in range(40)]

    threads = set(threading.enumerate()) - before
    assert {thread.name for thread in threads} == {"tap-twilio-fetch"}
    assert all(thread.daemon for thread in threads)
    prefetch.close()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)


def test_a_worker_that_waits_keeps_no_page():
    (want,) = wants_of(SimpleNamespace(now=0, arrived=[]), 1)
    prefetch = Prefetch(1, fetch, arrive, lambda _: True, lambda: None)

    page = weakref.ref(prefetch.take(want))

    deadline = time.monotonic() + 5
    while page() is not None and time.monotonic() < deadline:
        time.sleep(0.001)
    assert page() is None
    prefetch.close()
