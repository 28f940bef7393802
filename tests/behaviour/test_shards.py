"""Runs that settings alone cut out of a backfill: together they are the whole, and share no row."""

from __future__ import annotations

import itertools
from collections import Counter
from datetime import timedelta

import pytest

from harness import STREAMS_BY_NAME, config_for, keyed, truth
from sandbox.filters import Readings

DATED = ["calls", "messages", "message_media", "recordings", "alerts", "usage_records_daily"]
START = "P40D"


def without(rows):
    """Rows without the moment at which Twilio counted them."""
    return {key: {**row, "as_of": None} for key, row in rows.items()}


def day(twilio, days):
    return (twilio.now - timedelta(days=days)).strftime("%Y-%m-%d")


def shards(twilio, cuts):
    """Settings of each account's ranges; the last one is open, and looks for undated rows."""
    bounds = [day(twilio, 40), *cuts, None]
    for account in twilio.accounts:
        for start, end in itertools.pairwise(bounds):
            range_ = {"start_date": start, "end_date": end} if end else {"start_date": start}
            open_ = {} if end else {"lookback_days": 40}
            yield {"accounts": [account.sid], **range_, **open_}


@pytest.fixture
def aged(sandbox):
    """A simulated Twilio in which old rows have no date."""

    def start(**readings):
        twilio = sandbox(
            volumes={"calls": 120, "messages": 120}, readings=Readings(**readings), seed=5
        )
        for stream, undated in (
            ("messages", {"date_sent": None, "status": "scheduled"}),
            ("calls", {"start_time": None, "status": "canceled"}),
        ):
            rows = truth(twilio, STREAMS_BY_NAME[stream])
            for row in rows[::20]:
                twilio.patch(row["sid"], **undated)
        return twilio

    return start


@pytest.mark.parametrize(
    "readings",
    [{}, {"nulls": True}, {"before": "day", "precision": "day"}, {"after": "exclusive"}],
    ids=["usual", "nulls", "days", "exclusive"],
)
def test_shards_are_the_whole_and_share_no_row(run, aged, readings):
    twilio = aged(**readings)
    # On the very second of a row, and in the midst of a month.
    calls = sorted(
        row["start_time"] for row in truth(twilio, STREAMS_BY_NAME["calls"]) if row["start_time"]
    )
    cuts = [day(twilio, 30), day(twilio, 17), calls[len(calls) * 2 // 3]]
    whole = run(config_for(twilio, start_date=day(twilio, 40)), streams=DATED)

    parts = [
        run(config_for(twilio, **settings), streams=DATED) for settings in shards(twilio, cuts)
    ]

    assert {part.exit_code for part in (whole, *parts)} == {0}
    for name in DATED:
        keys = STREAMS_BY_NAME[name].primary_keys
        want = keyed(whole.records(name), keys)
        got = [part.records(name) for part in parts]
        assert without(keyed(itertools.chain(*got), keys)) == without(want), name
        assert sum(map(bool, got)) > len(twilio.accounts), name
    undated = [
        [row for row in part.records("messages") if row["date_sent"] is None] for part in parts
    ]
    assert [bool(rows) for rows in undated] == [False, False, False, True] * 2


def test_each_shard_has_a_state_of_its_own_and_goes_on_from_it(run, small):
    settings = list(shards(small, [day(small, 20)]))
    streams = ["calls", "messages"]
    first = [run(config_for(small, **each), streams=streams) for each in settings]

    again = [
        run(config_for(small, **each, lookback_days=0), streams=streams, state=output.state)
        for each, output in zip(settings, first, strict=True)
        if "end_date" in each
    ]

    for each, output in zip(settings, first, strict=True):
        (account,) = each["accounts"]
        end = f"{each['end_date']}T00:00:00Z" if "end_date" in each else None
        for stream in streams:
            partitions = output.state["bookmarks"][stream]["partitions"]
            assert [one["context"] for one in partitions] == [{"account_sid": account}]
            assert end in {None, output.bookmark(stream, account)}
    assert [output.of_type("RECORD") for output in again] == [[]] * len(small.accounts)


def test_a_closed_shard_read_twice_is_the_same_though_rows_were_added(run, sandbox):
    twilio = sandbox(volumes={"calls": 100, "messages": 100})
    settings = config_for(twilio, start_date=day(twilio, 40), end_date=day(twilio, 3))
    streams = ["calls", "messages"]
    before = run(settings, streams=streams)

    twilio.advance(timedelta(days=2))
    after = run(settings, streams=streams)

    assert len(before.records("calls")) > 0
    for name in streams:
        assert Counter(row["sid"] for row in after.records(name)) == Counter(
            row["sid"] for row in before.records(name)
        )
