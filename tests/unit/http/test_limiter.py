"""The limiter: as many requests at once as the account bears, between one and the setting."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_twilio.http.limiter import START, Limiter


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands until it is set; whoever looks moves it by its step."""
    clock = SimpleNamespace(now=1000.0, step=0.0)

    def look():
        clock.now += clock.step
        return clock.now - clock.step

    monkeypatch.setattr("tap_twilio.http.limiter.time", SimpleNamespace(monotonic=look))
    return clock


class Waits(threading.Condition):
    """Notes how long it is to wait, and sets the clock instead."""

    def __init__(self, clock):
        super().__init__()
        self.clock = clock
        self.pauses = []

    def wait(self, timeout=None):
        assert timeout is not None, "nobody would end this wait"
        self.pauses.append(timeout)
        self.clock.now += timeout
        return False


def fill(limiter):
    sent = []
    while limiter.has_room:
        sent.append(limiter.enter())
    return sent


def answer(limiter, sent):
    for moment in sent:
        limiter.leave()
        limiter.succeeded(moment)


# --- How the limit moves -------------------------------------------------------------------------


@pytest.mark.parametrize(("cap", "limit"), [(2, 2), (START, START), (100, START)])
def test_the_limit_begins_no_higher_than_the_cap(cap, limit):
    assert Limiter(cap=cap).limit == limit


def test_the_limit_grows_while_answers_are_good():
    limiter = Limiter(cap=8)
    for _ in range(3):
        answer(limiter, fill(limiter))

    assert limiter.limit == 8


@pytest.mark.usefixtures("clock")
def test_the_limit_ends_at_the_cap_and_not_beyond():
    limiter = Limiter(cap=5, limit=4.5)

    answer(limiter, fill(limiter)[:1])

    assert limiter.limit == 5


def test_the_limit_doubles_until_the_first_refusal_and_grows_by_one_then(clock):
    limiter = Limiter(cap=64, limit=4)
    limits = []
    for _ in range(2):
        clock.now += 1
        answer(limiter, fill(limiter))
        limits.append(limiter.limit)
    limiter.throttled(limiter.enter())
    limiter.leave()
    limits.append(limiter.limit)
    clock.now += 1
    answer(limiter, fill(limiter))
    limits.append(limiter.limit)

    # 8 times an eighth, of a limit that grows meanwhile.
    assert limits == [8, 16, 8, pytest.approx(8.95, abs=0.01)]


@pytest.mark.usefixtures("clock")
def test_after_a_refusal_an_answer_adds_its_share_of_one():
    limiter = Limiter(cap=64, limit=8)
    limiter.throttled(limiter.enter())
    limiter.leave()

    answer(limiter, fill(limiter)[:1])

    assert limiter.limit == 4.25


def test_the_limit_stays_where_it_is_not_used(clock):
    limiter = Limiter(cap=64, limit=4)
    for _ in range(20):
        clock.now += 1
        sent = [limiter.enter() for _ in range(3)]
        answer(limiter, sent)

    assert limiter.limit == 4


@pytest.mark.usefixtures("clock")
def test_all_room_is_used_when_no_whole_request_more_fits():
    limiter = Limiter(cap=64, limit=4.5)

    answer(limiter, [limiter.enter() for _ in range(4)])

    assert limiter.limit > 4.5


def test_what_was_used_before_a_request_went_out_is_no_reason_to_grow(clock):
    limiter = Limiter(cap=64, limit=4)
    for _ in fill(limiter):
        limiter.leave()
    clock.now += 1
    answer(limiter, [limiter.enter()])

    assert limiter.limit == 4


def test_one_wave_of_refusals_halves_once(clock):
    limiter = Limiter(cap=16, limit=16)
    sent = [limiter.enter() for _ in range(8)]
    clock.now += 1
    for moment in sent:
        limiter.throttled(moment)
        limiter.leave()
    assert limiter.limit == 8

    limiter.throttled(limiter.enter())
    assert limiter.limit == 4


def test_the_limit_never_falls_below_one():
    limiter = Limiter(cap=4)
    limits = []
    for _ in range(4):
        limiter.throttled(limiter.enter())
        limiter.leave()
        limits.append(limiter.limit)

    assert limits == [2, 1, 1, 1]
    assert limiter.has_room


@pytest.mark.parametrize(
    ("concurrent", "limit"), [(6, 3), (16, 8), (40, 8), (0, 8), (None, 8), (2, 1), (1, 1)]
)
def test_the_lower_of_what_twilio_counts_and_the_limit_is_halved(concurrent, limit):
    limiter = Limiter(cap=32, limit=16)
    limiter.throttled(limiter.enter(), concurrent=concurrent)

    assert limiter.limit == limit


EVENTS = st.lists(
    st.one_of(
        st.just("answer"), st.none() | st.integers(0, 50), st.floats(0.1, 2).map(lambda by: -by)
    ),
    max_size=60,
)


@given(cap=st.integers(1, 40), events=EVENTS)
def test_the_limit_is_between_one_and_the_cap_whatever_happens(cap, events):
    with pytest.MonkeyPatch.context() as patch:
        now = [1000.0]
        patch.setattr("tap_twilio.http.limiter.time", SimpleNamespace(monotonic=lambda: now[0]))
        limiter = Limiter(cap=cap)
        for event in events:
            if isinstance(event, float):
                now[0] -= event
                continue
            sent = fill(limiter)
            assert sent, "there is always room for one"
            assert len(sent) <= cap
            now[0] += 1
            for moment in sent:
                limiter.leave()
                if event == "answer":
                    limiter.succeeded(moment)
                else:
                    limiter.throttled(moment, concurrent=event)
                assert 1 <= limiter.limit <= cap


# --- Pauses --------------------------------------------------------------------------------------


def test_retry_after_holds_everybody_back_until_it_is_over(clock):
    waits = Waits(clock)
    limiter = Limiter(cap=4, _changed=waits)
    limiter.throttled(limiter.enter(), retry_after=30)
    clock.now += 10

    assert limiter.enter() == 1030
    assert waits.pauses == [20]
    assert limiter.in_flight == 2


def test_there_is_no_room_until_retry_after_is_over(clock):
    limiter = Limiter(cap=4)
    limiter.throttled(limiter.enter(), retry_after=100)
    limiter.leave()

    clock.now = 1099.9
    assert not limiter.has_room
    clock.now = 1100
    assert limiter.has_room
    assert limiter.enter() == 1100


def test_a_pause_that_ends_while_it_is_looked_at_is_over(clock):
    limiter = Limiter(cap=4, _changed=Waits(clock))
    limiter.throttled(limiter.enter(), retry_after=1)
    limiter.leave()
    clock.step = 1.5

    assert limiter.enter() >= 1001


def test_a_pause_is_news_by_as_much_as_it_makes_the_wait_longer(clock):
    limiter = Limiter(cap=4)
    sent = limiter.enter()
    limiter.leave()

    assert limiter.throttled(sent, retry_after=60) == 60
    assert limiter.throttled(sent, retry_after=60) == 0
    assert limiter.throttled(sent, retry_after=90) == 30
    assert limiter.throttled(sent, retry_after=10) == 0
    assert limiter.throttled(sent) == 0
    clock.now += 89
    assert not limiter.has_room
    clock.now += 20
    assert limiter.has_room
    assert limiter.throttled(sent, retry_after=5) == 5
    clock.now += 100
    assert limiter.throttled(sent) == 0


# --- Who waits -----------------------------------------------------------------------------------


def test_there_is_room_for_as_many_as_the_limit_says():
    limiter = Limiter(cap=3)

    assert len(fill(limiter)) == 3
    assert limiter.in_flight == 3
    limiter.leave()
    assert limiter.in_flight == 2
    assert limiter.has_room


class Watched(threading.Condition):
    """Says when it begins to wait, and whether somebody ended that."""

    def __init__(self):
        super().__init__()
        self.begun = threading.Semaphore(0)
        self.pauses = []
        self.woken = []

    def wait(self, timeout=None):
        self.pauses.append(timeout)
        self.begun.release()
        self.woken.append(super().wait(5))
        return self.woken[-1]


def test_whoever_leaves_wakes_one_who_waits():
    watched = Watched()
    limiter = Limiter(cap=1, _changed=watched)
    limiter.enter()
    thread = threading.Thread(target=limiter.enter)
    thread.start()
    watched.begun.acquire()

    limiter.leave()
    thread.join()

    assert watched.woken == [True]
    # Not by looking again and again.
    assert watched.pauses == [None]
    assert limiter.in_flight == 1


def test_a_limit_that_grows_wakes_one_who_waits():
    watched = Watched()
    limiter = Limiter(cap=2, limit=1, _changed=watched)
    sent = limiter.enter()
    thread = threading.Thread(target=limiter.enter)
    thread.start()
    watched.begun.acquire()

    limiter.succeeded(sent)
    thread.join()

    assert watched.woken == [True]
    assert limiter.in_flight == 2


def test_no_more_than_the_limit_are_in_flight():
    watched = Watched()
    limiter = Limiter(cap=3, _changed=watched)
    may_leave = threading.Event()
    seen = []

    def work():
        for _ in range(20):
            sent = limiter.enter()
            seen.append(limiter.in_flight)
            watched.begun.release()
            may_leave.wait()
            limiter.leave()
            limiter.succeeded(sent)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    # Nobody leaves before each has either entered or begun to wait.
    for _ in threads:
        watched.begun.acquire()
    may_leave.set()
    for thread in threads:
        thread.join()

    assert max(seen) == 3
    assert limiter.in_flight == 0


def test_the_last_answer_is_remembered_and_a_refusal_is_none(clock):
    limiter = Limiter(cap=4)
    sent = limiter.enter()
    clock.now += 7
    limiter.succeeded(sent)
    clock.now += 7
    limiter.throttled(sent)

    assert limiter.answered == 1007
