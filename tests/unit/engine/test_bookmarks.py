"""Bookmarks: where a stream is read from, and how they move. Nothing between is ever left out."""

from __future__ import annotations

import copy
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tap_twilio.config.inputs import DIGESTS, UNDATED_SINCE, UNSETTLED_SINCE
from tap_twilio.engine.bookmarks import Bookmarks, partitions
from tap_twilio.engine.days import Day
from tap_twilio.engine.requests import Batch, Place, Request
from tap_twilio.http.errors import ResponseError, TapError
from tap_twilio.resource.resource import Node
from tap_twilio.resource.windows import DAY, EPOCH, Window, iso
from tests.unit.taps import (
    ACCOUNT,
    MARK,
    MOMENT,
    NOW,
    OWN_TOKEN,
    SUBACCOUNT,
    WHOSE,
    Engine,
    bookmarks_of,
    make_engine,
    make_tap,
    refuse,
    resource_of,
    state_of,
    utc,
    warnings_of,
)

PLACE = Place((0,))
FAILURE = ResponseError("/Participants", 400)


def window_of(engine, account=ACCOUNT):
    whole = engine.bookmarks.range(engine.node, account)
    return whole and (iso(whole.start), whole.end and iso(whole.end))


def read_whole(name, **options):
    """Have a catalog say that a stream is to be read without windows."""
    tap = make_tap(name, **options)
    tap.streams[name].forced_replication_method = "FULL_TABLE"
    return Engine(tap, name)


def next_run(engine):
    """Give what the next run would know."""
    return Bookmarks(engine.tap.state, engine.settings, engine.run.clock, engine.skips)


def saved(engine):
    """Collect the states that are written while a list is read."""
    found = []
    engine.reader.save = lambda: found.append(copy.deepcopy(engine.tap.state))
    return found


def fail(engine, name, account=ACCOUNT):
    engine.skips.fail(Node(resource_of(name)), account, TapError("broken"))


def test_partitions_without_a_context_belong_to_no_account():
    own = {"context": {"account_sid": ACCOUNT}}
    state = {"bookmarks": {"calls": {"partitions": [{"context": None}, own]}, "keys": {}}}

    assert list(partitions(state)) == [(("calls", ACCOUNT), own)]


# --- Which nodes have bookmarks ------------------------------------------------------------------


def test_a_stream_that_is_to_be_read_whole_keeps_no_bookmark():
    engine = read_whole("calls", state=state_of(calls=MARK))

    assert not engine.node.is_incremental
    assert engine.bookmarks.bookmark(engine.node, ACCOUNT) is None
    assert window_of(engine) == (iso(EPOCH), None)
    assert not engine.bookmarks.finish(engine.node, ACCOUNT, Window(EPOCH, None))
    assert bookmarks_of(engine.tap) == {("calls", ACCOUNT): MARK}


# --- From when on --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "mark", "config", "window"),
    [
        # Without bookmark, from the start.
        ("calls", None, {}, ("2008-01-01T00:00:00Z", None)),
        ("calls", None, {"start_date": "2026-11-01T05:06:07Z"}, ("2026-11-01T05:06:07Z", None)),
        # From the bookmark, less the look-back.
        ("calls", MARK, {}, ("2026-11-07T08:00:00Z", None)),
        ("calls", MARK, {"lookback_days": 1}, ("2026-11-09T08:00:00Z", None)),
        ("calls", MARK, {"lookback_days": 0}, ("2026-11-10T08:00:00Z", None)),
        ("calls", MARK, {"lookback_days": 0.5}, ("2026-11-09T20:00:00Z", None)),
        # Never before the start.
        ("calls", MARK, {"start_date": "2026-11-09"}, ("2026-11-09T00:00:00Z", None)),
        ("calls", MARK, {"start_date": "2026-11-01"}, ("2026-11-07T08:00:00Z", None)),
        ("calls", MARK, {"start_date": "2026-11-15"}, ("2026-11-15T00:00:00Z", None)),
        ("calls", "2008-01-02T00:00:00Z", {}, ("2008-01-01T00:00:00Z", None)),
        # A bookmark in the future was made by a wrong clock.
        ("calls", "2026-11-21T10:00:00Z", {}, ("2026-11-17T12:34:56Z", None)),
        # Up to the end, if that is after.
        (
            "calls",
            MARK,
            {"end_date": "2026-11-12"},
            ("2026-11-07T08:00:00Z", "2026-11-12T00:00:00Z"),
        ),
        ("calls", MARK, {"end_date": "2026-11-07T08:00:00Z"}, None),
        ("calls", MARK, {"end_date": "2026-11-01"}, None),
        # By whole days, where the filter has no others.
        ("notifications", MARK, {}, ("2026-11-09T00:00:00Z", None)),
        (
            "notifications",
            MARK,
            {"end_date": "2026-11-12T10:00:00Z"},
            ("2026-11-09T00:00:00Z", "2026-11-12T00:00:00Z"),
        ),
        ("notifications", MARK, {"end_date": "2026-11-09T23:59:59Z"}, None),
        ("usage_records_monthly", MARK, {}, ("2026-10-01T00:00:00Z", None)),
        # As far back as Twilio keeps rows.
        ("messages", None, {}, ("2025-10-16T12:39:56Z", None)),
        ("messages", MARK, {}, ("2026-10-26T08:00:00Z", None)),
        # Lists without a date filter have no range.
        ("queues", None, {}, None),
    ],
)
def test_a_stream_is_read_from_its_bookmark_less_the_look_back_on(name, mark, config, window):
    state = {} if mark is None else state_of(**{name: mark})

    assert window_of(make_engine(name, state=state, **config)) == window


@settings(max_examples=20)
@given(
    mark=st.datetimes(utc("2010-01-01").replace(tzinfo=None), NOW.replace(tzinfo=None)),
    days=st.none() | st.floats(0, 400),
    name=st.sampled_from(["calls", "notifications", "usage_records_monthly"]),
)
def test_what_is_read_begins_at_least_the_look_back_before_the_bookmark(mark, days, name):
    moment = utc(str(mark.replace(microsecond=0)))
    config = {} if days is None else {"lookback_days": days}

    engine = make_engine(name, state=state_of(**{name: iso(moment)}), **config)

    lookback = engine.node.resource.lookback if days is None else timedelta(days=days)
    whole = engine.bookmarks.range(engine.node, ACCOUNT)
    assert whole.end is None
    assert whole.start <= max(EPOCH, moment - lookback)
    assert whole.start >= max(EPOCH, moment - lookback - 31 * DAY)


def test_the_look_back_counts_from_the_present_by_the_clock_that_dates_rows():
    clock = utc("2026-11-15T00:00:00")

    engine = make_engine("calls", state=state_of(calls="2026-11-19T00:00:00Z"), clock=clock)

    assert window_of(engine) == ("2026-11-12T00:00:00Z", None)


def test_rows_that_twilio_does_not_keep_are_told_where_they_were_asked_for(caplog):
    window_of(make_engine("messages", start_date="2025-01-01"))
    assert [one.partition(": ")[2] for one in warnings_of(caplog)] == [
        "Twilio keeps these rows for 400 days. The tap reads from 2025-10-16T12:39:56Z on"
    ]

    caplog.clear()
    for config in ({}, {"start_date": "2025-10-16T11:39:56Z"}, {"start_date": "2008-01-01"}):
        window_of(make_engine("messages", **config))
    assert warnings_of(caplog) == []
    window_of(make_engine("messages", start_date="2025-10-16T11:39:55Z"))
    assert len(warnings_of(caplog)) == 1


def test_each_stream_of_a_branch_wants_its_own_stretch():
    mark, later = "2026-11-01T00:00:00Z", "2026-11-10T00:00:00Z"
    engine = make_engine(
        "calls",
        "call_recordings",
        "call_feedback",
        unselected=["call_events"],
        state=state_of(calls=later, call_recordings=mark, call_events=mark),
    )

    wanted = engine.bookmarks.wanted_from(engine.node, ACCOUNT)

    assert {name: iso(moment) for name, moment in wanted.items()} == {
        "calls": "2026-11-07T00:00:00Z",
        "call_recordings": "2026-10-29T00:00:00Z",
        "call_feedback": "2008-01-01T00:00:00Z",
    }
    assert window_of(engine) == ("2008-01-01T00:00:00Z", None)


def test_a_stream_that_cannot_be_read_wants_nothing():
    engine = make_engine("calls", "call_recordings", state=state_of(calls=MARK))
    refuse(engine, "call_recordings")

    assert window_of(engine) == ("2026-11-07T08:00:00Z", None)
    refuse(engine, "calls", account=SUBACCOUNT)
    assert window_of(engine, SUBACCOUNT) is None


def test_what_is_wanted_stays_as_it_was_when_the_run_began():
    engine = make_engine("calls", state=state_of(calls=MARK))
    before = window_of(engine)
    engine.bookmarks.move(engine.node, ACCOUNT, NOW)

    assert window_of(engine) == before
    assert engine.bookmarks.bookmark(engine.node, ACCOUNT) == MOMENT
    assert next_run(engine).bookmark(engine.node, ACCOUNT) == NOW


def test_accounts_have_bookmarks_of_their_own():
    engine = make_engine("calls", state=state_of(calls={SUBACCOUNT: MARK}))

    assert window_of(engine) == ("2008-01-01T00:00:00Z", None)
    assert window_of(engine, SUBACCOUNT) == ("2026-11-07T08:00:00Z", None)


# --- For whose sake ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("whose", "window", "refused", "is_news"),
    [
        # Calls were read up to the 10th, so they are wanted from the 7th on; recordings of calls
        # up to the 20th of October, from the 17th on.
        (["calls"], ("2026-11-01", "2026-11-07"), [], False),
        (["calls"], ("2026-11-01", "2026-11-07 00:00:01"), [], True),
        (["calls"], ("2026-11-01", None), [], True),
        (["call_recordings"], ("2026-11-01", "2026-11-07"), [], True),
        (["calls", "call_recordings"], ("2026-11-01", "2026-11-07"), [], True),
        (["calls", "call_recordings"], ("2026-10-01", "2026-10-17"), [], False),
        (["call_recordings"], ("2026-11-01", "2026-11-07"), ["call_recordings"], False),
        (["call_recordings"], ("2026-11-01", None), ["call_recordings"], False),
        (["calls", "call_recordings"], ("2026-11-01", "2026-11-08"), ["call_recordings"], True),
        (["call_recordings"], ("2026-11-01", "2026-11-07"), ["calls"], False),
        (["call_feedback"], ("2026-11-01", None), [], False),
        (["call_feedback"], None, [], True),
    ],
)
def test_a_window_is_read_for_those_that_have_not_had_it(whose, window, refused, is_news):
    engine = make_engine(
        "calls",
        "call_recordings",
        unselected=["call_feedback"],
        state=state_of(calls="2026-11-10T00:00:00Z", call_recordings="2026-10-20T00:00:00Z"),
    )
    calls, bookmarks = engine.node, engine.bookmarks
    unselected = Node(resource_of("call_feedback"), calls)
    bookmarks.wanted_from(calls, ACCOUNT)
    refuse(engine, *refused)
    asked = window and Window(utc(window[0]), window[1] and utc(window[1]))
    request = Request(calls, WHOSE, PLACE, {}, window=asked)

    nodes = [engine.nodes.get(name, unselected) for name in whose]

    assert bookmarks.is_news(request, nodes) is is_news


def test_of_a_list_without_bookmark_all_is_news():
    engine = read_whole("calls", state=state_of(calls=MARK))
    request = Request(engine.node, WHOSE, PLACE, {}, window=Window(EPOCH, EPOCH + DAY))

    assert engine.bookmarks.is_news(request, [])


# --- The bookmark --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("marks", "refused", "bookmark"),
    [
        ({"calls": MARK, "call_recordings": MARK}, [], MARK),
        ({"calls": MARK, "call_recordings": "2026-11-01T00:00:00Z"}, [], "2026-11-01T00:00:00Z"),
        ({"calls": "2026-11-01T00:00:00Z", "call_recordings": MARK}, [], "2026-11-01T00:00:00Z"),
        ({"calls": MARK}, [], None),
        ({"call_recordings": MARK}, [], None),
        ({}, [], None),
        ({"calls": MARK}, ["call_recordings"], MARK),
        ({"calls": MARK, "call_recordings": MARK}, ["calls"], None),
        (
            {"calls": "2026-11-21T00:00:00Z", "call_recordings": "2026-11-21T00:00:00Z"},
            [],
            iso(NOW),
        ),
        ({"calls": {SUBACCOUNT: MARK}, "call_recordings": {SUBACCOUNT: MARK}}, [], None),
    ],
)
def test_all_was_read_up_to_where_the_last_of_a_branch_is(marks, refused, bookmark):
    engine = make_engine("calls", "call_recordings", state=state_of(**marks))
    refuse(engine, *refused)

    found = engine.bookmarks.bookmark(engine.node, ACCOUNT)

    assert (found and iso(found)) == bookmark


@pytest.mark.parametrize(
    ("held", "bookmark"),
    [
        ({"replication_key": "start_time", "replication_key_value": MARK}, MARK),
        ({"replication_key": "date_updated", "replication_key_value": MARK}, None),
        ({"replication_key": "start_time", "replication_key_value": "2026-11-10"}, "2026-11-10"),
        (
            {"replication_key": "start_time", "replication_key_value": "2026-11-10T10:00:00+02:00"},
            MARK,
        ),
        ({"undated_since": MARK}, None),
    ],
)
def test_a_bookmark_counts_if_it_is_of_the_streams_own_key(held, bookmark):
    engine = make_engine("calls", state=state_of(calls={ACCOUNT: held}))

    found = engine.bookmarks.bookmark(engine.node, ACCOUNT)

    assert found == (bookmark and utc(bookmark.rstrip("Z")))


def test_another_taps_bookmark_holds_for_accounts_without_their_own():
    engine = make_engine("calls", state={"bookmarks": {"calls": MARK}})
    calls = engine.node
    assert engine.bookmarks.bookmark(calls, ACCOUNT) == MOMENT

    engine.bookmarks.move(calls, ACCOUNT, MOMENT + DAY)
    assert next_run(engine).bookmark(calls, ACCOUNT) == MOMENT + DAY
    assert next_run(engine).bookmark(calls, SUBACCOUNT) == MOMENT
    # Nor does it move back, or is hidden by what else is held for an account.
    engine.bookmarks.note_search(calls, SUBACCOUNT, MOMENT)
    engine.bookmarks.move(calls, SUBACCOUNT, MOMENT - DAY)
    assert next_run(engine).bookmark(calls, SUBACCOUNT) == MOMENT


def test_a_list_that_leaves_out_unchanged_rows_keeps_its_bookmark_for_itself():
    state = state_of(queues=MARK)
    kept = make_engine("queues", "queue_members", skip_unchanged=True, state=state)
    assert kept.bookmarks.bookmark(kept.node, ACCOUNT) == MOMENT
    kept.bookmarks.move(kept.node, ACCOUNT, NOW)
    assert bookmarks_of(kept.tap) == {("queues", ACCOUNT): iso(NOW)}

    other = make_engine("queues", state=state)
    assert other.bookmarks.bookmark(other.node, ACCOUNT) is None


# --- How it moves --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mark", "moment", "clock", "after"),
    [
        (None, MOMENT, None, MARK),
        (MARK, MOMENT + DAY, None, "2026-11-11T08:00:00Z"),
        # Never back.
        (MARK, MOMENT - DAY, None, MARK),
        (MARK, MOMENT, None, MARK),
        # Never past the beginning of the run, by either clock.
        (MARK, NOW + DAY, None, iso(NOW)),
        (MARK, NOW, utc("2026-11-19T00:00:00"), "2026-11-19T00:00:00Z"),
        (MARK, NOW, utc("2026-11-20T13:00:00"), iso(NOW)),
        # One that lies in the future was made by a wrong clock.
        ("2026-11-21T00:00:00Z", MOMENT, None, MARK),
        (iso(NOW), MOMENT, None, iso(NOW)),
        ("2026-11-20T12:50:00Z", NOW, utc("2026-11-20T13:00:00"), "2026-11-20T12:50:00Z"),
    ],
)
def test_a_bookmark_moves_on_and_never_past_the_present(mark, moment, clock, after):
    state = {} if mark is None else state_of(calls=mark)
    engine = make_engine("calls", state=state, clock=clock)

    engine.bookmarks.move(engine.node, ACCOUNT, moment)

    assert bookmarks_of(engine.tap) == {("calls", ACCOUNT): after}


@settings(max_examples=20)
@given(
    moves=st.lists(st.integers(-900, 900), min_size=1, max_size=8),
    mark=st.none() | st.integers(-900, 0),
)
def test_bookmarks_never_move_back(moves, mark):
    hour = timedelta(hours=1)
    state = {} if mark is None else state_of(calls=iso(NOW + mark * hour))
    engine = make_engine("calls", state=state)
    calls, move = engine.node, engine.bookmarks.move
    last = engine.bookmarks.bookmark(calls, ACCOUNT) or EPOCH

    for hours in moves:
        move(calls, ACCOUNT, NOW + hours * hour)
        reached = next_run(engine).bookmark(calls, ACCOUNT)
        assert last <= reached <= NOW
        assert reached >= min(NOW, NOW + hours * hour)
        last = reached


def test_a_bookmark_that_moved_is_written_as_the_streams_own():
    engine = make_engine("calls")

    engine.bookmarks.move(engine.node, ACCOUNT, MOMENT)

    assert engine.tap.state == state_of(calls=MARK)
    assert engine.bookmarks.state is engine.tap.state


def test_all_of_a_branch_move_but_what_cannot_be_read():
    engine = make_engine(
        "calls",
        "call_recordings",
        "call_feedback",
        unselected=["call_events"],
        state=state_of(call_feedback=MARK),
    )
    refuse(engine, "call_recordings")

    engine.bookmarks.move(engine.node, ACCOUNT, MOMENT + DAY)

    later = "2026-11-11T08:00:00Z"
    assert bookmarks_of(engine.tap) == {
        ("calls", ACCOUNT): later,
        ("call_feedback", ACCOUNT): later,
    }


def test_each_of_a_branch_moves_by_itself():
    state = state_of(calls=iso(NOW), call_recordings=MARK)
    engine = make_engine("calls", "call_recordings", state=state)

    engine.bookmarks.move(engine.node, ACCOUNT, MOMENT + DAY)

    assert bookmarks_of(engine.tap) == {
        ("calls", ACCOUNT): iso(NOW),
        ("call_recordings", ACCOUNT): "2026-11-11T08:00:00Z",
    }


@pytest.mark.parametrize("preview", ["max_records", "dry run"])
def test_a_preview_leaves_no_trace(preview):
    config = {"max_records": 5} if preview == "max_records" else {}
    tap = make_tap("messages", "message_media", "queues", skip_unchanged=True, **config)
    if preview == "dry run":
        for stream in tap.streams.values():
            stream.ABORT_AT_RECORD_COUNT = 1

    engine = Engine(tap, "messages")
    bookmarks, messages = engine.bookmarks, engine.node

    bookmarks.move(messages, ACCOUNT, MOMENT)
    bookmarks.note_search(messages, ACCOUNT, MOMENT)
    bookmarks.note_searched(messages, ACCOUNT, MARK)
    bookmarks.note_refusal(engine.nodes["message_media"], WHOSE | {"message_sid": "SM1"})
    bookmarks.move(engine.nodes["queues"], ACCOUNT, MOMENT)

    assert tap.state == {}


# --- What was read -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("window", "failures", "before", "after"),
    [
        ((MOMENT - DAY, MOMENT), 0, 0, MARK),
        ((MOMENT - DAY, None), 0, 0, iso(NOW)),
        (None, 0, 0, None),
        ((MOMENT - DAY, MOMENT), 1, 0, None),
        ((MOMENT - DAY, MOMENT), 1, 1, MARK),
    ],
)
def test_a_bookmark_moves_to_the_end_of_a_window_that_was_read_whole(
    window, failures, before, after
):
    engine = make_engine("conferences", "conference_participants")
    written = saved(engine)
    for _ in range(before):
        fail(engine, "queues")

    def take(request):
        if request.node is engine.node:
            row = {"sid": "CF1", "status": "in-progress", "date_updated": iso(MOMENT - DAY)}
            return Batch(request, [row])
        if failures > before:
            raise FAILURE
        return Batch(request)

    engine.reader.take = take
    asked = Request(engine.node, WHOSE, PLACE, {}, window=window and Window(*window))
    walk = engine.reader.walk(engine.node, WHOSE, PLACE, iter([(asked.window, [asked])]))

    assert [node.name for node, _ in walk] == [
        "conferences",
        *([] if failures > before else ["conference_participants"]),
    ]
    assert len(engine.run.progress.failures) == failures
    state = {} if after is None else state_of(conferences=after, conference_participants=after)
    assert engine.tap.state == state
    assert written == ([] if after is None else [state])


def test_a_list_of_each_parent_moves_no_bookmark_by_itself():
    engine = make_engine("studio_executions")

    assert not engine.bookmarks.finish(engine.node, ACCOUNT, Window(EPOCH, MOMENT))

    assert engine.tap.state == {}


ALONE = ("studio_executions",)
WITH_STEPS = ("studio_executions", "studio_execution_steps")


def finish_below(engine, account=ACCOUNT):
    return engine.bookmarks.finish_below(engine.nodes["studio_flows"], account)


@pytest.mark.parametrize(
    ("streams", "failed", "refused", "moves"),
    [
        *(
            (streams, *case)
            for streams in (ALONE, WITH_STEPS)
            for case in [
                ([], [], True),
                ([("studio_executions", ACCOUNT)], [], False),
                ([("studio_flows", ACCOUNT)], [], False),
                ([("accounts", ACCOUNT)], [], False),
                ([("studio_executions", SUBACCOUNT)], [], True),
                ([("studio_flow_revisions", ACCOUNT)], [], True),
                ([], [("studio_executions", ACCOUNT)], False),
                ([], [("studio_flows", ACCOUNT)], False),
            ]
        ),
        (ALONE, [("studio_execution_steps", ACCOUNT)], [], True),
        (WITH_STEPS, [("studio_execution_steps", ACCOUNT)], [], False),
    ],
)
def test_a_list_of_each_parent_moves_its_bookmark_once_all_were_read(
    streams, failed, refused, moves
):
    engine = make_engine(*streams, "studio_flow_revisions", unselected=["studio_test_users"])
    for name, account in failed:
        fail(engine, name, account)
    for name, account in refused:
        refuse(engine, name, account=account)

    assert finish_below(engine) is moves

    reached = {(name, ACCOUNT): iso(NOW) for name in streams}
    assert bookmarks_of(engine.tap) == (reached if moves else {})


def test_a_list_of_each_parent_that_was_refused_meanwhile_moves_nothing():
    engine = make_engine("studio_executions")
    window_of(engine)
    refuse(engine, "studio_executions")

    assert not finish_below(engine)

    assert engine.tap.state == {}


def test_a_list_of_each_parent_that_is_read_whole_moves_nothing():
    engine = read_whole("studio_executions")

    assert not finish_below(engine)

    assert engine.tap.state == {}


def test_lists_of_each_parent_move_the_bookmark_of_their_account():
    own = {SUBACCOUNT: {"auth_token": OWN_TOKEN}}
    engine = make_engine("studio_executions", subaccount_credentials=own)

    assert finish_below(engine, SUBACCOUNT)

    assert bookmarks_of(engine.tap) == {("studio_executions", SUBACCOUNT): iso(NOW)}


def test_a_list_of_each_parent_moves_its_bookmark_to_the_end_of_the_run():
    config = {"start_date": "2026-11-01", "end_date": "2026-11-05"}
    engine = make_engine("studio_executions", **config)
    assert finish_below(engine)
    assert bookmarks_of(engine.tap) == {("studio_executions", ACCOUNT): "2026-11-05T00:00:00Z"}

    state = state_of(studio_executions=MARK)
    nothing = make_engine("studio_executions", state=state, end_date="2026-10-01")
    assert not finish_below(nothing)
    assert bookmarks_of(nothing.tap) == {("studio_executions", ACCOUNT): MARK}


@pytest.mark.parametrize("refused", [[], ["studio_executions"]])
def test_a_bookmark_that_moved_below_an_accounts_list_is_written_once(refused):
    engine = make_engine("studio_executions")
    refuse(engine, *refused)
    written = saved(engine)

    read = engine.reader.walk(engine.nodes["studio_flows"], WHOSE, PLACE, iter([]))

    assert list(read) == []
    assert written == ([] if refused else [state_of(studio_executions=iso(NOW))])


# --- Rows without a date -------------------------------------------------------------------------


def notes_of(engine, name):
    held = engine.tap.state.get("bookmarks", {}).get(name, {}).get("partitions", [])
    return [
        {key: value for key, value in one.items() if key.startswith("un")}
        for one in held
        if one["context"] == WHOSE
    ]


def unsearched(bookmarks, node):
    return bookmarks.noted(node, ACCOUNT, UNDATED_SINCE)


def unsettled_since(bookmarks, node):
    return bookmarks.noted(node, ACCOUNT, UNSETTLED_SINCE)


def test_a_search_that_is_still_to_be_done_is_noted_for_all_of_a_branch():
    engine = make_engine("messages", "message_media")

    engine.bookmarks.note_search(engine.node, ACCOUNT, MOMENT)

    for name in ("messages", "message_media"):
        assert notes_of(engine, name) == [{"undated_since": MARK}]
    assert unsearched(next_run(engine), engine.node) == [MOMENT, MOMENT]
    assert unsettled_since(next_run(engine), engine.node) == []


@pytest.mark.parametrize("unsettled", [MARK, None])
def test_a_search_that_was_done_is_noted_with_what_is_still_to_change(unsettled):
    held = {"undated_since": "2026-10-01T00:00:00Z", "unsettled_since": "2026-10-02T00:00:00Z"}
    engine = make_engine("messages", state=state_of(messages={ACCOUNT: held}))
    messages, bookmarks = engine.node, engine.bookmarks
    assert unsearched(bookmarks, messages) == [utc("2026-10-01")]
    assert unsettled_since(bookmarks, messages) == [utc("2026-10-02")]

    bookmarks.note_searched(messages, ACCOUNT, unsettled)

    assert notes_of(engine, "messages") == [{"unsettled_since": MARK} if unsettled else {}]
    assert unsearched(next_run(engine), messages) == []
    assert unsettled_since(next_run(engine), messages) == ([MOMENT] if unsettled else [])


@pytest.mark.parametrize("status", ["accepted", "delivered"])
def test_a_search_that_was_done_is_written_once(status):
    engine = make_engine("messages")
    row = {"sid": "SM1", "date_sent": None, "date_created": MARK, "status": status}
    asked = Request(engine.node, WHOSE, PLACE, {})
    engine.reader.take = lambda request: Batch(request, [row])
    written = saved(engine)

    for _ in engine.reader.walk(engine.node, WHOSE, PLACE, iter([(None, [asked])])):
        assert [note.keys() for note in notes_of(engine, "messages")] == [{"undated_since"}]

    assert written == [engine.tap.state]
    left = {"unsettled_since": MARK} if status == "accepted" else {}
    assert notes_of(engine, "messages") == [left]


def test_a_search_that_was_never_noted_is_done_as_well():
    engine = make_engine("messages")

    engine.bookmarks.note_searched(engine.node, ACCOUNT, None)

    assert notes_of(engine, "messages") == [{}]


def test_what_cannot_be_read_keeps_what_it_has_to_search():
    held = {ACCOUNT: {"undated_since": MARK}}
    state = state_of(messages=held, message_media=held)
    engine = make_engine("messages", "message_media", state=state)
    refuse(engine, "message_media")

    assert unsearched(engine.bookmarks, engine.node) == [MOMENT]
    engine.bookmarks.note_searched(engine.node, ACCOUNT, None)

    assert notes_of(engine, "messages") == [{}]
    assert notes_of(engine, "message_media") == [{"undated_since": MARK}]


@pytest.mark.parametrize("reason", ["read whole", "of each parent"])
def test_searches_are_noted_only_where_bookmarks_are_kept(reason):
    is_whole = reason == "read whole"
    engine = read_whole("messages") if is_whole else make_engine("studio_executions")

    engine.bookmarks.note_search(engine.node, ACCOUNT, MOMENT)

    assert engine.tap.state == {}


# --- What was refused ----------------------------------------------------------------------------


def refusals(engine):
    """Tell where the next run would know that a stream was refused."""
    return next_run(engine).starts.refusals(engine.node.name)


def test_a_refusal_below_windows_is_kept_until_it_is_over():
    engine = make_engine("message_media")
    media, bookmarks = engine.node, engine.bookmarks
    context = WHOSE | {"message_sid": "SM1"}

    bookmarks.note_refusal(media, context)

    assert engine.tap.state["bookmarks"]["message_media"]["partitions"] == [
        {"context": WHOSE, "refused": {"message_sid": "SM1"}}
    ]
    assert refusals(engine) == [context]
    bookmarks.forget_refusal(media, SUBACCOUNT)
    assert refusals(engine) == [context]
    bookmarks.forget_refusal(media, ACCOUNT)
    assert refusals(engine) == []
    bookmarks.forget_refusal(media, ACCOUNT)


def test_refusals_are_told_by_account():
    held = {
        ACCOUNT: {"refused": {"message_sid": "SM1"}},
        SUBACCOUNT: {"refused": {"message_sid": "SM2"}},
    }
    state = state_of(message_media=held, call_events={ACCOUNT: {"refused": {"call_sid": "CA1"}}})
    engine = make_engine("message_media", state=state)

    found = engine.bookmarks.starts.refusals("message_media")

    assert [context["message_sid"] for context in found] == ["SM1", "SM2"]
    engine.bookmarks.forget_refusal(engine.node, ACCOUNT)
    assert refusals(engine) == [{"account_sid": SUBACCOUNT, "message_sid": "SM2"}]


@pytest.mark.parametrize("name", ["queues", "calls", "alerts"])
def test_a_refusal_of_an_accounts_own_list_needs_no_note(name):
    engine = make_engine(name)

    engine.bookmarks.note_refusal(engine.node, WHOSE)

    assert engine.tap.state == {}
    assert refusals(engine) == []


def test_a_refusal_is_not_kept_where_it_would_tell_personal_data():
    tap = make_tap("message_media")
    schema = tap.streams["message_media"].wire_schema
    schema["properties"]["message_sid"] = {"x-twilio-pii": "standard"}
    engine = Engine(tap, "message_media")

    engine.bookmarks.note_refusal(engine.node, WHOSE | {"message_sid": "SM1"})

    assert tap.state == {}


# --- Rows that did not change --------------------------------------------------------------------


def kept_of(dates, bookmark):
    state = {} if bookmark is None else state_of(queues=iso(bookmark))
    engine = make_engine("queues", skip_unchanged=True, state=state)
    rows = [{"sid": str(n), "date_updated": date} for n, date in enumerate(dates)]
    engine.reader.take = lambda request: Batch(request, list(rows))
    # The reader lets go of what a batch holds as soon as it was written.
    (batch,) = [replace(one) for _, one in engine.reader.walk(engine.node, WHOSE, PLACE)]
    return [row["date_updated"] for row in batch.records], batch


def test_rows_that_changed_up_to_an_hour_before_the_bookmark_are_kept():
    dates = [
        "2026-11-10T06:59:59Z",
        "2026-11-10T06:59:59.999000Z",
        "2026-11-10T07:00:00Z",
        "2026-11-10T07:00:00.500000Z",
        "2026-11-10T09:00:00Z",
        None,
        "2008-01-01T00:00:00Z",
    ]

    kept, batch = kept_of(dates, MOMENT)

    assert kept == [*dates[2:5], None]
    assert [row["date_updated"] for row in batch.parents] == dates
    assert [row["sid"] for _, row in batch.numbered()] == [str(n) for n in range(7)]


def test_rows_are_told_apart_by_the_second():
    dates = ["2026-11-10T07:00:04Z", "2026-11-10T07:00:05Z"]

    kept, _ = kept_of(dates, MOMENT + timedelta(seconds=5))

    assert kept == dates[1:]


def test_without_bookmark_no_row_is_left_out():
    kept, batch = kept_of(["2008-01-01T00:00:00Z"], None)

    assert kept == ["2008-01-01T00:00:00Z"]
    assert batch.parents is None


# --- Rows of a look-back that were written ------------------------------------------------------


def written_by(engine, *rows):
    """What is left of rows, and what the state holds once their window was read to its end."""
    written = engine.bookmarks.written(engine.node, ACCOUNT)
    left = list(rows) if written is None else written.sift(rows, is_last=True)
    engine.bookmarks.finish(engine.node, ACCOUNT, Window(MOMENT, None))
    held = dict(partitions(engine.tap.state)).get((engine.node.name, ACCOUNT), {})
    return left, held.get(DIGESTS), copy.deepcopy(engine.tap.state)


CALL = {"sid": "CA1", "start_time": "2026-11-19T10:00:00Z"}


@pytest.mark.parametrize(
    ("config", "start", "is_kept"),
    [
        ({}, "2026-11-17T12:34:00Z", True),
        ({}, "2026-11-17T12:33:59Z", False),
        ({"lookback_days": 1}, "2026-11-19T12:34:00Z", True),
        ({"lookback_days": 1}, "2026-11-19T12:33:59Z", False),
    ],
)
def test_what_is_remembered_is_what_the_next_run_reads_again(config, start, is_kept):
    engine = make_engine("calls", skip_unchanged=True, **config)
    row = CALL | {"start_time": start}

    left, digests, state = written_by(engine, row)

    assert left == [row]
    assert (list(digests) == [start[:10]]) is is_kept
    again = make_engine("calls", skip_unchanged=True, state=state, **config)
    assert written_by(again, row)[0] == ([] if is_kept else [row])


def test_days_of_a_filter_that_knows_no_times_are_remembered_whole():
    engine = make_engine("usage_records_daily", skip_unchanged=True, lookback_days=1)

    _, digests, _ = written_by(engine, {"start_date": "2026-11-19", "count": 1})

    assert list(digests) == ["2026-11-19"]


@pytest.mark.parametrize(
    ("config", "comes_again"),
    [
        ({}, False),
        ({"pii": "drop"}, True),
        ({"pii": "hash", "pii_key": "long and random"}, True),
        ({"skip_unchanged": False}, True),
        ({"max_records": 5}, True),
    ],
    ids=str,
)
def test_rows_come_again_where_they_are_written_otherwise(config, comes_again):
    state = written_by(make_engine("calls", skip_unchanged=True), CALL)[2]

    engine = make_engine("calls", state=state, **{"skip_unchanged": True} | config)
    left, digests, _ = written_by(engine, CALL)

    assert left == ([CALL] if comes_again else [])
    assert (digests is None) is (config.get("skip_unchanged") is False)


def test_a_list_that_can_not_be_read_is_not_noted_as_written():
    engine = make_engine("calls")
    refuse(engine, "calls")

    engine.bookmarks.finish(engine.node, ACCOUNT, Window(EPOCH, None))

    assert engine.tap.state.get("bookmarks", {}).get("calls", {}).get("partitions", []) == []


def test_accounts_are_remembered_each_by_itself():
    engine = make_engine("calls", skip_unchanged=True)
    ours, theirs = (engine.bookmarks.written(engine.node, one) for one in (ACCOUNT, SUBACCOUNT))

    assert ours is engine.bookmarks.written(engine.node, ACCOUNT)
    assert ours is not theirs


# --- Rows that did not change --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "config", "floor"),
    [
        ("queues", {"skip_unchanged": True}, "2026-11-10T07:00:00"),
        ("queues", {}, None),
        # It goes by its windows.
        ("calls", {"skip_unchanged": True}, None),
    ],
)
def test_rows_count_as_changed_from_an_hour_before_the_bookmark_on(name, config, floor):
    engine = make_engine(name, state=state_of(**{name: MARK}), **config)

    assert engine.bookmarks.floor_of_changes(engine.node, ACCOUNT) == floor


def test_a_bookmark_of_another_key_is_no_bound_for_the_next():
    held = {"replication_key": "date_created", "replication_key_value": "2026-11-19T00:00:00Z"}
    engine = make_engine("calls", state=state_of(calls={ACCOUNT: held}))

    engine.bookmarks.move(engine.node, ACCOUNT, MOMENT)

    assert bookmarks_of(engine.tap) == {("calls", ACCOUNT): MARK}


# --- Days of files -------------------------------------------------------------------------------


def a_day(date, *files):
    return Day(date, frozenset(files or {"a"}), 1)


def held_of(engine, account=ACCOUNT):
    """What the state holds of an account, without whose it is."""
    known = {key[1]: held for key, held in partitions(engine.tap.state)}
    return {name: value for name, value in known.get(account, {}).items() if name != "context"}


FIRST, SECOND, THIRD = a_day("2020-07-25"), a_day("2020-07-26", "b", "a"), a_day("2020-07-27")


@pytest.mark.parametrize(
    ("config", "within"),
    [
        ({}, [FIRST, SECOND, THIRD]),
        ({"start_date": "2020-07-26"}, [SECOND, THIRD]),
        ({"end_date": "2020-07-27"}, [FIRST, SECOND]),
        ({"start_date": "2020-07-26", "end_date": "2020-07-27"}, [SECOND]),
    ],
)
def test_days_are_within_the_settings(config, within):
    bookmarks = make_engine("bulkexports_messages", **config).bookmarks

    assert bookmarks.days_within([FIRST, SECOND, THIRD]) == within


def test_days_that_were_read_are_in_the_state():
    engine = make_engine("bulkexports_messages")
    node, bookmarks = engine.node, engine.bookmarks

    bookmarks.note_day(node, ACCOUNT, FIRST, is_next=True)
    bookmarks.note_day(node, ACCOUNT, SECOND, is_next=True)

    assert held_of(engine) == {
        "days_read": ["2020-07-25/2020-07-26"],
        "files_read": {"2020-07-25": ["a"], "2020-07-26": ["a", "b"]},
        "replication_key": "day",
        "replication_key_value": "2020-07-26",
    }
    later = next_run(engine)
    assert later.days_read(node, ACCOUNT) == {"2020-07-25", "2020-07-26"}
    assert later.days_to_read(node, ACCOUNT, [FIRST, SECOND, THIRD]) == [THIRD]
    # Nobody has read them for another account.
    assert later.days_read(node, SUBACCOUNT) == set()
    assert later.days_to_read(node, SUBACCOUNT, [FIRST]) == [FIRST]


def test_a_day_with_another_file_is_read_again():
    engine = make_engine("bulkexports_messages")
    engine.bookmarks.note_day(engine.node, ACCOUNT, FIRST, is_next=True)

    grown, fewer = a_day("2020-07-25", "a", "b"), a_day("2020-07-25", "a")

    assert engine.bookmarks.days_to_read(engine.node, ACCOUNT, [grown]) == [grown]
    assert engine.bookmarks.days_to_read(engine.node, ACCOUNT, [fewer]) == []


@pytest.mark.parametrize(
    ("second", "is_next", "mark"),
    [(THIRD, True, "2020-07-27"), (THIRD, False, "2020-07-26"), (FIRST, True, "2020-07-26")],
)
def test_the_bookmark_of_days_follows_those_before_which_all_were_read(second, is_next, mark):
    engine = make_engine("bulkexports_messages")

    engine.bookmarks.note_day(engine.node, ACCOUNT, SECOND, is_next=True)
    engine.bookmarks.note_day(engine.node, ACCOUNT, second, is_next=is_next)

    assert held_of(engine)["replication_key_value"] == mark
    assert second.date in held_of(engine)["files_read"]


def test_a_day_after_one_that_was_not_read_moves_no_bookmark():
    engine = make_engine("bulkexports_messages")

    engine.bookmarks.note_day(engine.node, ACCOUNT, SECOND, is_next=False)

    assert held_of(engine) == {
        "days_read": ["2020-07-26"],
        "files_read": {"2020-07-26": ["a", "b"]},
    }


def test_files_that_are_not_listed_any_more_are_forgotten_and_their_days_are_not():
    engine = make_engine("bulkexports_messages")
    node, bookmarks = engine.node, engine.bookmarks
    bookmarks.forget_files(node, ACCOUNT, [])
    assert held_of(engine) == {}
    for day in (FIRST, SECOND):
        bookmarks.note_day(node, ACCOUNT, day, is_next=True)

    bookmarks.forget_files(node, ACCOUNT, [SECOND, THIRD])

    assert held_of(engine)["files_read"] == {"2020-07-26": ["a", "b"]}
    assert bookmarks.days_read(node, ACCOUNT) == {"2020-07-25", "2020-07-26"}


def test_a_preview_takes_no_day_down():
    engine = make_engine("bulkexports_messages", max_records=5)
    node, bookmarks = engine.node, engine.bookmarks

    bookmarks.note_day(node, ACCOUNT, FIRST, is_next=True)

    assert not bookmarks.keeps_days(node)
    assert held_of(engine) == {}


def test_a_preview_forgets_no_file():
    before = make_engine("bulkexports_messages")
    before.bookmarks.note_day(before.node, ACCOUNT, FIRST, is_next=True)

    engine = make_engine("bulkexports_messages", state=before.tap.state, max_records=5)
    engine.bookmarks.forget_files(engine.node, ACCOUNT, [])

    assert held_of(engine)["files_read"] == {"2020-07-25": ["a"]}


def test_days_that_were_read_by_dates_are_not_asked_for_where_a_stream_is_to_be_read_whole():
    engine = make_engine("bulkexports_messages")
    engine.bookmarks.note_day(engine.node, ACCOUNT, FIRST, is_next=True)

    engine.node.goes_by_dates = False

    assert engine.bookmarks.days_to_read(engine.node, ACCOUNT, [FIRST]) == [FIRST]


@pytest.mark.parametrize("goes_on", [True, False])
def test_days_are_read_again_where_a_stream_is_to_be_read_whole(goes_on):
    engine = make_engine("bulkexports_messages")
    node, bookmarks = engine.node, engine.bookmarks
    node.goes_by_dates = goes_on
    day = Day("2020-07-26", frozenset({"a"}), 1)

    bookmarks.note_day(node, ACCOUNT, day, is_next=True)

    assert bookmarks.days_to_read(node, ACCOUNT, [day]) == ([] if goes_on else [day])
    assert (bookmarks.state != {}) is goes_on
