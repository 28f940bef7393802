"""Look-ahead: in order, bounded, and never the wrong page."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING

import pytest

from tap_twilio.ahead import (
    BYTES_AHEAD,
    BYTES_LOOSE,
    LEAST_ROOM,
    LIGHT_PAGES_PER_REQUEST,
    PAGES_PER_REQUEST,
    Ahead,
)
from tap_twilio.errors import TapError
from tap_twilio.pages import Page
from tests.harness import PATIENCE, assert_complete, config_for

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class Bound:
    """Counts what is fetched at once, and what was fetched and not yet taken."""

    in_flight: int = 0
    most: int = 0
    fetched: int = 0
    taken: int = 0
    most_waiting: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


@dataclass
class Body:
    length: int
    name: str
    opened: bool = False
    size: int = -1

    def __post_init__(self) -> None:
        self.size = self.length

    def pack(self) -> None:
        if not self.opened:
            self.size //= 8


@dataclass
class Want:
    order: tuple[float, ...]
    name: str
    bound: Bound = field(compare=False)
    size: int = 10
    height: int = 0
    kind: str = "things"
    light: bool = False
    delay: float = 0.001
    below: list[Want] = field(default_factory=list, compare=False)
    error: Exception | None = None
    opened: bool = False
    strange: Exception | None = None

    def fetch(self) -> Body:
        with self.bound.lock:
            self.bound.in_flight += 1
            self.bound.most = max(self.bound.most, self.bound.in_flight)
        time.sleep(self.delay)
        with self.bound.lock:
            self.bound.in_flight -= 1
            self.bound.fetched += 1
            waiting = self.bound.fetched - self.bound.taken
            self.bound.most_waiting = max(self.bound.most_waiting, waiting)
        if self.error:
            raise self.error
        return Body(self.size, self.name, self.opened)

    def follow(self, _page: Body) -> list[Iterator[Want]]:
        if self.strange:
            raise self.strange
        return [iter(self.below)] if self.below else []

    def may_go(self) -> bool:
        return True


def read(ahead: Ahead, wants: list[Want]) -> list[str]:
    ahead.hint(iter(wants))
    names = []
    for want in wants:
        names.append(ahead.take(want).name)
        want.bound.taken += 1
        names += read_below(ahead, want)
    return names


def read_below(ahead: Ahead, want: Want) -> list[str]:
    names = []
    for child in want.below:
        names.append(ahead.take(child).name)
        want.bound.taken += 1
        names += read_below(ahead, child)
    return names


def test_pages_come_in_order_whatever_their_delays():
    bound = Bound()
    wants = [Want((0, n), str(n), bound, delay=0.01 if n % 3 else 0.001) for n in range(60)]

    assert read(Ahead(8), wants) == [str(n) for n in range(60)]


def test_requests_overlap_up_to_the_bound_and_no_further():
    bound = Bound()
    read(Ahead(5), [Want((0, n), str(n), bound, delay=0.005) for n in range(60)])

    # One more than the bound: the page whose turn has come never waits for a free worker.
    assert 5 <= bound.most <= 6


def test_waiting_pages_are_bounded_by_number():
    bound = Bound()
    ahead = Ahead(4)
    wants = [Want((0, n), str(n), bound, delay=0) for n in range(100)]
    ahead.hint(iter(wants))
    for want in wants:
        ahead.take(want)
        bound.taken += 1
        time.sleep(0.001)

    assert bound.most_waiting <= 4 * PAGES_PER_REQUEST + 1


def test_waiting_pages_are_bounded_by_bytes():
    bound = Bound()
    ahead = Ahead(16)
    size = LEAST_ROOM // 4
    wants = [Want((0, n), str(n), bound, size=size, delay=0) for n in range(40)]
    ahead.hint(iter(wants))
    for number, want in enumerate(wants):
        ahead.take(want)
        bound.taken += 1
        if number == 17:  # by now the size of such pages is known
            bound.most_waiting = 0
        time.sleep(0.002)

    assert bound.most_waiting <= 5


def test_children_are_asked_ahead_and_come_before_the_next_parent():
    bound = Bound()
    parents = []
    for p in range(5):
        parent = Want((0, p), f"p{p}", bound, height=1, delay=0.01)
        parent.below = [Want((0, p, c), f"p{p}c{c}", bound, delay=0.01) for c in range(20)]
        parents.append(parent)

    names = read(Ahead(8), parents)

    assert names == [
        name for p in range(5) for name in [f"p{p}", *(f"p{p}c{c}" for c in range(20))]
    ]
    assert bound.most >= 6


def test_parents_leave_room_for_their_children():
    bound = Bound()
    ahead = Ahead(8)
    parents = [Want((0, p), f"p{p}", bound, height=2, delay=0.001) for p in range(40)]
    ahead.hint(iter(parents))
    ahead.take(parents[0])
    bound.taken += 1
    time.sleep(0.05)
    ahead.take(parents[1])
    bound.taken += 1
    time.sleep(0.05)

    assert bound.fetched - bound.taken <= (8 * PAGES_PER_REQUEST) // 4


def settled(ahead: Ahead, *bounds: Bound) -> None:
    """Let what may be asked ahead arrive, as a thread that emits would."""
    before, quiet = None, 0
    for pause in count(-1_000_000):
        ahead.take(Want((0, pause), "pause", Bound()))
        time.sleep(0.003)
        now = [(bound.fetched, bound.in_flight) for bound in bounds]
        quiet = quiet + 1 if now == before else 0
        if quiet == 20:
            return
        before = now


def test_pages_known_early_leave_room_for_sooner_ones():
    later, sooner = Bound(), Bound()
    ahead = Ahead(4)
    ahead.hint(iter([Want((1, n), f"later {n}", later) for n in range(40)]))
    settled(ahead, later)
    filled = later.fetched
    ahead.hint(iter([Want((0, n), f"sooner {n}", sooner) for n in range(40)]))
    settled(ahead, later, sooner)

    assert filled == later.fetched == 4 * PAGES_PER_REQUEST
    assert sooner.fetched == 4 * PAGES_PER_REQUEST


def test_later_pages_that_turn_out_large_leave_room_for_the_nearest():
    later, sooner = Bound(), Bound()
    ahead = Ahead(16)
    size = BYTES_AHEAD // 4
    large = [Want((1, n), f"later {n}", later, size, kind="large", opened=True) for n in range(40)]
    ahead.hint(iter(large))
    settled(ahead, later)
    ahead.hint(iter([Want((0, n), f"sooner {n}", sooner, LEAST_ROOM // 5) for n in range(40)]))
    settled(ahead, later, sooner)

    assert later.fetched * size > 2 * BYTES_AHEAD
    assert sooner.fetched >= 4


def test_pages_that_wait_long_are_packed_but_not_the_nearest():
    bound = Bound()
    ahead = Ahead(16)
    size = BYTES_LOOSE // 4
    wants = [Want((0, n), str(n), bound, size=size, delay=0) for n in range(8)]
    ahead.hint(iter(wants))
    settled(ahead, bound)
    pages = [ahead.take(want) for want in wants]

    assert [page.size for page in pages] == [size] * 4 + [size // 8] * 4


def test_room_grows_while_pages_have_to_be_waited_for_and_shrinks_again():
    bound = Bound()
    ahead = Ahead(16)
    size = LEAST_ROOM // 4
    wants = [
        Want((0, n), str(n), bound, size=size, delay=0.03 if n < 60 else 0) for n in range(400)
    ]
    ahead.hint(iter(wants))
    for number, want in enumerate(wants[:60]):
        ahead.take(want)
        bound.taken += 1
        if number == 20:  # by now the size of such pages is known
            bound.most = 0
    grown, bound.most_waiting = bound.most, 0
    for number, want in enumerate(wants[60:]):
        ahead.take(want)
        bound.taken += 1
        if number == 300:
            bound.most_waiting = 0
        time.sleep(0.001)

    assert grown >= 10
    assert bound.most_waiting <= 5


def most_in_flight(delays: list[float]) -> int:
    """Tell how many large pages are asked for at once, where those before took so long."""
    bound = Bound()
    ahead = Ahead(16)
    wants = [
        Want((0, n), str(n), bound, size=LEAST_ROOM // 4, delay=delay)
        for n, delay in enumerate(delays)
    ]
    ahead.hint(iter(wants))
    for number, want in enumerate(wants):
        ahead.take(want)
        bound.taken += 1
        if number == len(delays) - 20:
            bound.most = 0
    return bound.most


def test_room_does_not_grow_where_what_was_asked_keeps_twilio_busy():
    assert most_in_flight([0.002] * 3 + [0.1] * 40) <= 5


def test_a_page_that_was_quick_by_chance_is_forgotten():
    assert most_in_flight([0.001] + [0.008] * 250) >= 10


def test_pages_of_which_little_is_kept_take_no_room():
    light, heavy = Bound(), Bound()
    ahead = Ahead(4)
    ahead.hint(iter([Want((0, n), f"heavy {n}", heavy) for n in range(40)]))
    ahead.hint(iter([Want((1, n), f"light {n}", light, light=True) for n in range(80)]))
    settled(ahead, heavy, light)

    assert heavy.fetched == 4 * PAGES_PER_REQUEST
    assert light.fetched == 4 * LIGHT_PAGES_PER_REQUEST


def test_an_error_comes_when_its_page_is_taken_and_only_then():
    bound = Bound()
    wants = [Want((0, n), str(n), bound) for n in range(10)]
    wants[5].error = ValueError("five")
    ahead = Ahead(8)
    ahead.hint(iter(wants))

    for want in wants[:5]:
        ahead.take(want)
    with pytest.raises(ValueError, match="five"):
        ahead.take(wants[5])
    assert ahead.take(wants[6]).name == "6"


def test_a_page_that_nothing_can_be_made_of_is_told_in_its_turn():
    bound = Bound()
    wants = [Want((0, n), str(n), bound) for n in range(3)]
    wants[0].delay = 0.1
    wants[2].strange = TapError("two")
    ahead = Ahead(8)
    ahead.hint(iter(wants))

    for want in wants[:2]:
        ahead.take(want)
    with pytest.raises(TapError, match="two"):
        ahead.take(wants[2])


def test_a_page_in_anothers_place_is_never_given():
    bound = Bound()
    ahead = Ahead(4)
    ahead.hint(iter([Want((0, 1), "hinted", bound)]))
    ahead.take(Want((0, 0), "first", bound))
    time.sleep(0.02)

    assert ahead.take(Want((0, 1), "wanted", bound)).name == "wanted"


def test_what_is_skipped_is_not_asked_any_more():
    bound = Bound()
    ahead = Ahead(2)
    wants = [Want((0, 0, n), f"a{n}", bound) for n in range(50)]
    ahead.hint(iter(wants))
    ahead.take(wants[0])
    ahead.skip((0, 0))

    assert ahead.take(Want((0, 1, 0), "b", bound)).name == "b"
    assert bound.fetched < 10


def test_the_checkpoint_ends_a_wait():
    class StopError(Exception):
        pass

    stop = threading.Event()

    def checkpoint() -> None:
        if stop.is_set():
            raise StopError

    ahead = Ahead(2, checkpoint)
    timer = threading.Timer(0.05, lambda: (stop.set(), ahead.wake()))
    timer.start()
    slow, answered = Want((0, 0), "slow", Bound()), threading.Event()
    slow.fetch = lambda: answered.wait(PATIENCE)
    with pytest.raises(StopError):
        ahead.take(slow)
    answered.set()


def test_pages_that_were_packed_come_out_whole(run, sandbox, monkeypatch):
    packed = []

    def pack(page: Page) -> None:
        as_before(page)
        packed.append(page.packed)

    as_before = Page.pack
    monkeypatch.setattr(Page, "pack", pack)
    monkeypatch.setattr("tap_twilio.ahead.BYTES_LOOSE", 0)
    twilio = sandbox(volumes={"calls": 400, "messages": 300}, subaccounts=1)

    output = run(config_for(twilio, page_size=20), streams=["calls", "messages", "message_media"])

    assert output.exit_code == 0
    assert sum(one is not None for one in packed) > 10
    assert_complete(output, twilio, "calls", "messages", "message_media")
