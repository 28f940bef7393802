"""Look-ahead: in order, bounded, and never the wrong page."""

from __future__ import annotations

import heapq
import queue
import threading
from dataclasses import dataclass, field
from itertools import count
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tap_twilio.ahead import (
    BYTES_AHEAD,
    LIGHT_PAGES_PER_REQUEST,
    PAGES_PER_REQUEST,
    RESERVE,
    Ahead,
)
from tap_twilio.http.errors import TapError


class Machine:
    """Runs the workers in one thread, by a clock that goes on as their pages come.

    Attributes:
        now: What time it is.
        workers: Threads that were started.
        closed: Those that were told to end.
        begun: Names of the pages that workers began to fetch.
        fetched: Names of those that came.
        most: How many were fetched at once.
    """

    def __init__(self):
        self.now = 0.0
        self.workers = self.closed = self.most = 0
        self.begun, self.fetched = [], []
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
            end = self.now + entry.ask.delay
            heapq.heappush(self._running, (end, next(self._numbers), self.now, entry))
            self.begun.append(entry.ask.name)
            self.most = max(self.most, len(self._running))

    def _hand(self):
        handed, self._handed = self._handed, None
        return handed

    def _finish(self):
        end, _, began, entry = heapq.heappop(self._running)
        now, self.now, self._handed = self.now, began, entry
        self._work()
        self.fetched.append(entry.ask.name)
        self.now = end
        self._begin()
        self.now = max(now, end)

    def _bring(self, *, block):
        while not self._arrived:
            ends = [heap[0][0] for heap in (self._running, self._events) if heap]
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


@dataclass
class Body:
    length: int
    name: str
    opened: bool = False
    size: int = -1

    def __post_init__(self):
        self.size = self.length


@dataclass
class Want:
    order: tuple
    name: str
    machine: Machine = field(compare=False)
    size: int = 10
    height: int = 0
    kind: str = "things"
    light: bool = False
    delay: float = 0.001
    below: list = field(default_factory=list, compare=False)
    error: Exception | None = None
    opened: bool = False
    free: bool = True
    kept: float = 1.0
    strange: Exception | None = None

    def fetch(self):
        self.machine.now += self.delay
        if self.error:
            raise self.error
        return Body(self.size, self.name, self.opened)

    def follow(self, page):
        if self.strange:
            raise self.strange
        page.size = int(page.length * self.kept)
        return [iter(self.below)] if self.below else []

    def may_go(self):
        return self.free


@pytest.fixture
def machine(monkeypatch):
    machine = Machine()
    monkeypatch.setattr("tap_twilio.ahead.threading", machine.threading)
    return machine


def ahead_of(machine, workers, *checkpoint):
    return Ahead(workers, *checkpoint, _asked=machine.asked, _brought=machine.brought)


def wants_of(machine, number, *, first=(0,), prefix="", **options):
    return [Want((*first, n), f"{prefix}{n}", machine, **options) for n in range(number)]


def take_all(ahead, wants):
    names = []
    for want in wants:
        names += [ahead.take(want).name, *take_all(ahead, want.below)]
    return names


PAUSES = count(-1_000_000)


def settled(ahead, machine):
    """Let what may be asked ahead arrive, as a thread that emits would; tell how many came."""
    before = None
    while before != (len(machine.begun), machine.is_idle):
        before = len(machine.begun) + 1, True
        machine.now += 1000
        ahead.take(Want((0, next(PAUSES)), "pause", machine, kind="pause", delay=0))
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
        patch.setattr("tap_twilio.ahead.threading", machine.threading)
        wants = wants_of(machine, len(delays), height=1)
        for number, want in enumerate(wants):
            want.delay = delays[number]
            want.below = [
                Want((0, number, n), f"{number}.{n}", machine, delay=chance.random())
                for n in range(chance.randint(0, 3))
            ]
        ahead = ahead_of(machine, workers)
        ahead.hint(iter(wants))

        names = take_all(ahead, wants)

        every = [name for want in wants for name in (want.name, *(one.name for one in want.below))]
        assert names == every
        assert sorted(machine.begun) == sorted(every)
        assert machine.workers <= workers + 1


def test_traversals_come_one_after_the_other():
    ahead = Ahead(2)

    assert ahead.begin() < ahead.begin() < ahead.begin()


def test_children_are_asked_ahead_and_come_before_the_next_parent(machine):
    parents = wants_of(machine, 5, prefix="p", height=1, delay=0.01)
    for p, parent in enumerate(parents):
        parent.below = wants_of(machine, 20, first=(0, p), prefix=f"p{p}c", delay=0.01)
    ahead = ahead_of(machine, 8)
    ahead.hint(iter(parents))

    names = take_all(ahead, parents)

    assert names == [
        name for p in range(5) for name in [f"p{p}", *(f"p{p}c{c}" for c in range(20))]
    ]
    assert machine.most >= 8
    assert machine.now < 0.25, "all in turn would take more than a second"


def test_the_nearest_page_is_asked_for_first(machine):
    ahead = ahead_of(machine, 2)
    ahead.hint(iter(wants_of(machine, 9, first=(2,), prefix="late")))
    ahead.hint(iter(wants_of(machine, 9, first=(1,), prefix="soon")))
    ahead.take(Want((0, 0), "first", machine))

    assert machine.begun[:3] == ["first", "soon0", "soon1"]


def test_a_hint_of_nothing_is_none(machine):
    ahead = ahead_of(machine, 2)
    ahead.hint(iter([]))

    assert ahead.take(Want((0, 0), "a", machine)).name == "a"


def test_a_page_in_anothers_place_is_never_given(machine):
    ahead = ahead_of(machine, 4)
    ahead.hint(iter([Want((0, 1), "hinted", machine)]))
    ahead.take(Want((0, 0), "first", machine))
    machine.now += 1

    assert ahead.take(Want((0, 1), "wanted", machine)).name == "wanted"
    assert "hinted" in machine.fetched


def test_a_page_that_was_asked_ahead_is_not_asked_again(machine):
    ahead = ahead_of(machine, 4)
    wants = wants_of(machine, 3)
    ahead.hint(iter(wants))
    ahead.hint(iter(wants))

    assert take_all(ahead, wants) == ["0", "1", "2"]
    assert sorted(machine.begun) == ["0", "1", "2"]


def test_what_was_taken_is_not_asked_ahead(machine):
    ahead = ahead_of(machine, 4)
    wants = wants_of(machine, 6)
    take_all(ahead, wants[:3])
    ahead.hint(iter(wants))

    assert take_all(ahead, wants[3:]) == ["3", "4", "5"]
    assert sorted(machine.begun) == ["0", "1", "2", "3", "4", "5"]


def test_what_is_skipped_is_not_asked_any_more(machine):
    ahead = ahead_of(machine, 2)
    wants = wants_of(machine, 50, first=(0, 0), prefix="a")
    ahead.hint(iter(wants))
    ahead.take(wants[0])
    ahead.skip((0, 0))

    assert ahead.take(Want((0, 1, 0), "b", machine)).name == "b"
    assert len(machine.begun) <= 6
    # What comes too late has nothing below it that anybody wants.
    wants[1].below = wants_of(machine, 5, first=(0, 0, 1), prefix="late")
    ahead.take(Want((0, 2, 0), "c", machine, delay=1))
    assert not [name for name in machine.begun if name.startswith("late")]


def test_an_error_comes_when_its_page_is_taken_and_only_then(machine):
    wants = wants_of(machine, 10)
    wants[5].error = ValueError("five")
    ahead = ahead_of(machine, 8)
    ahead.hint(iter(wants))

    take_all(ahead, wants[:5])
    with pytest.raises(ValueError, match="five"):
        ahead.take(wants[5])
    assert ahead.take(wants[6]).name == "6"


def test_a_page_that_nothing_can_be_made_of_is_told_in_its_turn(machine):
    wants = wants_of(machine, 3)
    wants[0].delay = 0.1
    wants[2].strange = TapError("two")
    ahead = ahead_of(machine, 8)
    ahead.hint(iter(wants))

    take_all(ahead, wants[:2])
    with pytest.raises(TapError, match="two"):
        ahead.take(wants[2])


# --- How many at once ----------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_requests_overlap_up_to_the_bound_and_no_further(machine, workers):
    ahead = ahead_of(machine, workers)
    wants = wants_of(machine, 60, delay=0.005)
    ahead.hint(iter(wants))
    take_all(ahead, wants)

    # One more than the bound: the page whose turn has come never waits for a free worker.
    assert workers <= machine.most <= workers + 1
    assert machine.workers <= workers + 1
    assert machine.now == pytest.approx(60 / workers * 0.005, rel=0.1)


def test_a_page_whose_turn_has_come_never_waits_for_a_free_worker(machine):
    ahead = ahead_of(machine, 2)
    ahead.hint(iter(wants_of(machine, 5, first=(5,), delay=100)))
    ahead.take(Want((0, 0), "first", machine, delay=1))

    ahead.take(Want((0, 1), "next", machine, delay=1))

    assert machine.now == 2
    assert machine.workers == 3


def test_no_more_workers_are_started_than_may_be_busy(machine):
    ahead = ahead_of(machine, 9)
    take_all(ahead, wants_of(machine, 5))

    assert machine.workers == 2


def test_nothing_is_asked_ahead_while_the_account_bears_no_more(machine):
    ahead = ahead_of(machine, 4)
    busy = wants_of(machine, 3, first=(1,), prefix="busy", free=False)
    ahead.hint(iter(busy))
    ahead.hint(iter(wants_of(machine, 3, first=(2,), prefix="free")))
    assert settled(ahead, machine) == ["free0", "free1", "free2"]

    for want in busy:
        want.free = True
    assert settled(ahead, machine)[3:] == ["busy0", "busy1", "busy2"]


# --- How many wait -------------------------------------------------------------------------------


def test_waiting_pages_are_bounded_by_number(machine):
    ahead = ahead_of(machine, 4)
    wants = wants_of(machine, 100)
    ahead.hint(iter(wants))
    assert len(settled(ahead, machine)) == 4 * PAGES_PER_REQUEST

    for taken, want in enumerate(wants, start=1):
        ahead.take(want)
        machine.now += 1
        assert (
            len([one for one in machine.begun if one != "pause"]) - taken <= 4 * PAGES_PER_REQUEST
        )


def test_there_is_room_for_one_page_at_least(machine):
    ahead = ahead_of(machine, 1)
    ahead.hint(iter(wants_of(machine, 100, height=9)))

    assert len(settled(ahead, machine)) == 1


@pytest.mark.parametrize(("height", "share"), [(0, 1), (1, 2), (2, 4), (3, 8)])
def test_parents_leave_room_for_their_children(machine, height, share):
    ahead = ahead_of(machine, 8)
    ahead.hint(iter(wants_of(machine, 40, height=height)))

    assert len(settled(ahead, machine)) == 8 * PAGES_PER_REQUEST // share


def test_pages_known_early_leave_room_for_sooner_ones(machine):
    ahead = ahead_of(machine, 4)
    ahead.hint(iter(wants_of(machine, 40, first=(1,), prefix="later")))
    filled = settled(ahead, machine)
    ahead.hint(iter(wants_of(machine, 40, first=(0,), prefix="sooner")))
    found = settled(ahead, machine)

    assert len(filled) == 4 * PAGES_PER_REQUEST
    assert [name for name in found if name.startswith("later")] == filled
    assert len(found) == 2 * len(filled)


def test_of_all_pages_a_few_times_as_many_may_wait(machine):
    ahead = ahead_of(machine, 4)
    for part in (5, 4, 3, 2, 1):
        ahead.hint(iter(wants_of(machine, 40, first=(part,), prefix=f"{part}/")))
        found = settled(ahead, machine)

    assert len(found) == RESERVE * 4 * PAGES_PER_REQUEST


def test_children_find_room_beside_parents_that_wait(machine):
    ahead = ahead_of(machine, 4)
    ahead.hint(iter(wants_of(machine, 40, first=(0,), prefix="parent", height=1)))
    parents = settled(ahead, machine)
    ahead.hint(iter(wants_of(machine, 40, first=(0, 5), prefix="child")))
    children = settled(ahead, machine)[len(parents) :]

    assert len(parents) == 4
    assert len(children) == 4 * PAGES_PER_REQUEST - 4


def test_parents_find_room_beside_children_that_wait(machine):
    ahead = ahead_of(machine, 4)
    ahead.hint(iter(wants_of(machine, 40, first=(0,), prefix="child")))
    children = settled(ahead, machine)
    ahead.hint(iter(wants_of(machine, 40, first=(1,), prefix="parent", height=1)))
    parents = settled(ahead, machine)[len(children) :]

    assert len(children) == 4 * PAGES_PER_REQUEST
    assert len(parents) == 4 * PAGES_PER_REQUEST // 2


def test_what_was_skipped_takes_no_room(machine):
    ahead = ahead_of(machine, 4)
    ahead.hint(iter(wants_of(machine, 40, first=(1,), prefix="skipped")))
    skipped = settled(ahead, machine)
    ahead.skip((1,))
    ahead.hint(iter(wants_of(machine, 40, first=(2,))))
    found = settled(ahead, machine)[len(skipped) :]

    assert found == [str(n) for n in range(4 * PAGES_PER_REQUEST)]


def test_pages_of_which_little_is_kept_take_no_room(machine):
    ahead = ahead_of(machine, 4)
    ahead.hint(iter(wants_of(machine, 40, first=(0,), prefix="heavy")))
    ahead.hint(iter(wants_of(machine, 80, first=(1,), prefix="light", light=True)))
    found = settled(ahead, machine)

    heavy = [name for name in found if name.startswith("heavy")]
    assert len(heavy) == 4 * PAGES_PER_REQUEST
    assert len(found) - len(heavy) == 4 * LIGHT_PAGES_PER_REQUEST


# --- How many bytes wait -------------------------------------------------------------------------


def learn(ahead, machine, size, *, number=8, **options):
    """Let it be known how large such pages are."""
    wants = [Want((0, next(PAUSES)), "known", machine, size=size, **options) for _ in range(number)]
    take_all(ahead, wants)
    machine.begun.clear()


def admitted(ahead, machine, **options):
    """Tell how many pages are asked for ahead at once."""
    machine.begun.clear()
    ahead.hint(iter(wants_of(machine, 100, first=(2,), prefix="ahead", **options)))
    ahead.take(Want((2, -1), "pause", machine, kind="pause", delay=0))
    return len([name for name in machine.begun if name.startswith("ahead")])


@pytest.mark.parametrize(("size", "number"), [(BYTES_AHEAD // 4, 4), (BYTES_AHEAD // 3, 3)])
def test_waiting_pages_are_bounded_by_bytes(machine, size, number):
    ahead = ahead_of(machine, 16)
    learn(ahead, machine, size)
    ahead.hint(iter(wants_of(machine, 40, first=(1,), size=size)))

    assert len(settled(ahead, machine)) == number


@pytest.mark.parametrize(("height", "number"), [(0, 8), (1, 4), (2, 2)])
def test_parents_leave_room_in_bytes_too(machine, height, number):
    ahead = ahead_of(machine, 16)
    learn(ahead, machine, BYTES_AHEAD // 8)
    ahead.hint(iter(wants_of(machine, 40, first=(1,), size=BYTES_AHEAD // 8, height=height)))

    assert len(settled(ahead, machine)) == number


def test_a_page_counts_as_large_as_those_of_its_kind_were(machine):
    ahead = ahead_of(machine, 16)
    learn(ahead, machine, BYTES_AHEAD // 2, kind="large")
    learn(ahead, machine, 10, kind="small")
    ahead.hint(iter(wants_of(machine, 40, first=(1,), size=BYTES_AHEAD // 2, kind="large")))
    assert len(settled(ahead, machine)) == 2

    machine.begun.clear()
    ahead.hint(iter(wants_of(machine, 40, first=(2,), kind="small")))
    assert len(settled(ahead, machine)) == 0, "what comes after has no room besides"


def test_one_small_page_does_not_make_the_next_small(machine):
    ahead = ahead_of(machine, 16)
    learn(ahead, machine, BYTES_AHEAD // 4)
    learn(ahead, machine, 10, number=1)
    ahead.hint(iter(wants_of(machine, 40, first=(1,), size=BYTES_AHEAD // 4)))

    assert len(settled(ahead, machine)) == 4


def test_many_small_pages_do(machine):
    ahead = ahead_of(machine, 16)
    learn(ahead, machine, BYTES_AHEAD // 4)
    learn(ahead, machine, 10, number=1000)

    assert admitted(ahead, machine, size=BYTES_AHEAD // 4) == 16


@pytest.mark.parametrize(("kept", "number"), [(0.5, 15), (1, 8), (2, 4), (4, 2)])
def test_a_page_counts_as_large_as_it_is_once_decoded(machine, kept, number):
    ahead = ahead_of(machine, 16)
    learn(ahead, machine, BYTES_AHEAD // 8, kept=kept)
    wants = wants_of(machine, 40, first=(1,), size=BYTES_AHEAD // 8, kept=kept, opened=True)
    ahead.hint(iter(wants))

    assert len(settled(ahead, machine)) == number


def test_later_pages_that_turn_out_large_leave_room_for_the_nearest(machine):
    ahead = ahead_of(machine, 16)
    size = BYTES_AHEAD // 4
    ahead.hint(
        iter(
            wants_of(machine, 40, first=(1,), prefix="later", size=size, kind="large", opened=True)
        )
    )
    later = settled(ahead, machine)
    ahead.hint(iter(wants_of(machine, 40, first=(0,), prefix="sooner", size=BYTES_AHEAD // 20)))
    sooner = settled(ahead, machine)[len(later) :]

    assert len(later) * size > 2 * BYTES_AHEAD
    assert len(sooner) >= 4


def test_pages_of_which_little_is_kept_are_bounded_by_bytes_as_they_are_asked(machine):
    ahead = ahead_of(machine, 16)
    learn(ahead, machine, BYTES_AHEAD // 8)
    ahead.hint(
        iter(wants_of(machine, 80, first=(1,), light=True, size=BYTES_AHEAD // 8, opened=True))
    )

    assert len(settled(ahead, machine)) == 8


@pytest.mark.parametrize(("height", "number"), [(0, 8), (1, 4), (2, 2)])
def test_some_room_is_there_for_the_nearest_whatever_others_have_filled(machine, height, number):
    ahead = ahead_of(machine, 16)
    light = {"light": True, "kind": "light", "size": BYTES_AHEAD // 32}
    learn(ahead, machine, **light)
    large = {"kind": "large", "size": BYTES_AHEAD // 8, "opened": True}
    ahead.hint(iter(wants_of(machine, 8, first=(9,), prefix="large", **large)))
    assert len(settled(ahead, machine)) == 8
    machine.begun.clear()

    ahead.hint(iter(wants_of(machine, 80, first=(1,), height=height, **light)))
    assert len(settled(ahead, machine)) == number


# --- The end -------------------------------------------------------------------------------------


class StopError(Exception):
    pass


def test_the_checkpoint_comes_before_each_page(machine):
    calls = []
    ahead = ahead_of(machine, 2, lambda: calls.append(machine.now))
    wants = wants_of(machine, 3)
    ahead.hint(iter(wants))
    ahead.take(wants[0])
    machine.now += 10
    ahead.take(wants[1])

    assert calls[0] == 0
    assert calls[-1] == machine.now


def test_the_checkpoint_ends_a_wait(machine):
    stop = []

    def checkpoint():
        if stop:
            raise StopError

    ahead = ahead_of(machine, 2, checkpoint)
    machine.at(0.5, lambda: (stop.append(1), ahead.wake()))

    with pytest.raises(StopError):
        ahead.take(Want((0, 0), "slow", machine, delay=600))
    assert machine.now == 0.5


def test_each_worker_is_told_to_end_once(machine):
    ahead = ahead_of(machine, 4)
    wants = wants_of(machine, 20)
    ahead.hint(iter(wants))
    take_all(ahead, wants)
    ahead.close()
    ahead.close()

    assert machine.closed == machine.workers > 1


# --- In threads ----------------------------------------------------------------------------------


def test_pages_are_fetched_in_threads_that_end():
    before = set(threading.enumerate())
    together = threading.Barrier(4)
    wants = wants_of(SimpleNamespace(now=0), 40)
    for want in wants:
        want.fetch = lambda want=want: (together.wait(60), Body(10, want.name))[1]
    ahead = Ahead(4)
    ahead.hint(iter(wants))

    assert take_all(ahead, wants) == [str(n) for n in range(40)]

    threads = set(threading.enumerate()) - before
    assert {thread.name for thread in threads} == {"tap-twilio-fetch"}
    assert all(thread.daemon for thread in threads)
    ahead.close()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
