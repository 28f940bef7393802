"""Indices and moments answer each other."""

from __future__ import annotations

from datetime import UTC, datetime
from random import Random

import pytest

from sandbox.moments import DAY
from sandbox.timeline import EveryNth, Rhythm, Steady

NOW = 1_795_176_000
BUSY = Rhythm(NOW - 45 * DAY, NOW, 5000, 7)


@pytest.mark.parametrize(
    "timeline",
    [
        Steady(NOW - 45 * DAY, 45 * DAY / 777, 3),
        Steady(NOW - 1000, 0.01, 3),
        BUSY,
        EveryNth(BUSY, 7, 4, 11),
    ],
    ids=["steady", "dense", "rhythm", "every seventh"],
)
def test_before_counts_what_at_tells(timeline):
    moments = [timeline.at(index) for index in range(1200)]
    assert moments == sorted(moments)
    dice = Random(5)  # noqa: S311
    for moment in [*moments[:200], *(dice.randrange(moments[0], moments[-1]) for _ in range(200))]:
        assert timeline.before(moment) == sum(one < moment for one in moments)


def test_volume_is_exact_and_rows_go_on_coming():
    assert BUSY.before(NOW) == 5000
    assert BUSY.before(NOW - 45 * DAY) == 0
    assert 600 < BUSY.before(NOW + 7 * DAY) - 5000 < 900


def test_working_hours_are_busy_and_weekends_are_not():
    moments = [datetime.fromtimestamp(BUSY.at(index), UTC) for index in range(5000)]
    noon = sum(moment.hour == 12 for moment in moments)
    night = sum(moment.hour == 3 for moment in moments)
    assert noon > 4 * night
    saturdays = sum(moment.weekday() == 5 for moment in moments)
    tuesdays = sum(moment.weekday() == 1 for moment in moments)
    assert tuesdays > 1.5 * saturdays


def test_a_seat_in_every_seven():
    thinned = EveryNth(BUSY, 7, 4, 11)
    for index in range(50):
        assert thinned.index_of(thinned.base_index(index)) == index
    assert sum(thinned.index_of(place) is not None for place in range(700)) == 100


def test_no_seats_where_there_are_none():
    none = EveryNth(BUSY, 1, 4, 11, limit=0)
    assert none.before(NOW + DAY) == 0
    assert none.index_of(3) is None
