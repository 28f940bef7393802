"""Bookmarks: where a stream is read from, and how they move. Nothing between is ever left out."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tap_twilio.pages import Page, Request
from tap_twilio.resource.windows import DAY, EPOCH, DateFilter, Window, iso
from tap_twilio.streams.api import CallRecordings
from tests.unit.taps import (
    ACCOUNT,
    MARK,
    MOMENT,
    NOW,
    OWN_TOKEN,
    SUBACCOUNT,
    WHOSE,
    bookmarks_of,
    make_stream,
    make_tap,
    state_of,
    states,
    tap_of,
    utc,
    warnings_of,
)


class DatedRecordings(CallRecordings):
    """Recordings of a call, were they read by windows."""

    replication_key = "date_created"
    window = DateFilter("DateCreated")


def names(streams):
    return sorted(stream.name for stream in streams)


def window_of(stream, context=WHOSE):
    whole = stream.range(context)
    return whole and (iso(whole.start), whole.end and iso(whole.end))


# --- Parents and children ------------------------------------------------------------------------


def test_children_are_those_selected_or_with_selected_ones_below():
    tap = make_tap(
        "studio_execution_steps",
        "studio_flow_revisions",
        unselected=["studio_test_users", "studio_execution_context"],
    )
    flows = tap.streams["studio_flows"]

    assert names(flows.children) == ["studio_executions", "studio_flow_revisions"]
    assert names(flows.descendants) == [
        "studio_execution_steps",
        "studio_executions",
        "studio_flow_revisions",
    ]
    assert names(flows.branch) == ["studio_execution_steps", "studio_flow_revisions"]
    assert [flows.height, tap.streams["studio_executions"].height] == [2, 1]
    assert tap.streams["studio_flow_revisions"].height == 0


def test_ancestors_are_the_parent_first():
    stream = make_stream("studio_execution_steps")

    assert [one.name for one in stream.ancestors] == [
        "studio_executions",
        "studio_flows",
        "accounts",
    ]
    assert stream.ancestors[-1].ancestors == []


@pytest.mark.parametrize(
    ("name", "placeholder", "is_accounts_own"),
    [
        ("calls", "account_sid", True),
        ("studio_flows", "account_sid", True),
        ("studio_executions", "flow_sid", False),
        ("call_recordings", "call_sid", False),
        ("bulkexports_days", "account_sid", False),
    ],
)
def test_the_last_placeholder_is_what_the_parent_gives(name, placeholder, is_accounts_own):
    stream = make_stream(name)

    assert stream.placeholder == placeholder
    assert stream.is_accounts_own is is_accounts_own


def test_the_list_of_accounts_is_no_accounts_own():
    assert make_stream("accounts").is_accounts_own is False


# --- Who may be read -----------------------------------------------------------------------------


def test_what_was_refused_or_shut_may_not_be_read():
    tap = make_tap("call_recordings", "messages")
    recordings, messages = tap.streams["call_recordings"], tap.streams["messages"]

    assert recordings.may_read(ACCOUNT)
    tap.run.refused.add(("call_recordings", ACCOUNT))
    assert not recordings.may_read(ACCOUNT)
    assert recordings.may_read(SUBACCOUNT)
    assert messages.may_read(ACCOUNT)
    tap.run.shut.add(SUBACCOUNT)
    assert [messages.may_read(one) for one in (ACCOUNT, SUBACCOUNT)] == [True, False]
    assert tap.run.progress.skipped == {}


def test_what_nobody_signs_for_may_not_be_read_and_is_told():
    stream = make_stream("studio_flows")

    assert stream.may_read(ACCOUNT)
    assert not stream.may_read(SUBACCOUNT)
    assert list(stream.run.progress.skipped) == [("studio_flows", SUBACCOUNT)]


@pytest.mark.parametrize(
    ("refused", "is_open"),
    [
        ("studio_flows", False),
        ("studio_executions", False),
        ("studio_execution_steps", False),
        ("calls", True),
    ],
)
def test_a_stream_is_open_as_long_as_all_above_it_are(refused, is_open):
    stream = make_stream("studio_execution_steps", "calls")
    stream.run.refused.add((refused, ACCOUNT))

    assert stream.is_open(ACCOUNT) is is_open


# --- Which streams have bookmarks ----------------------------------------------------------------


def test_a_stream_with_a_date_filter_is_incremental():
    found = {
        name: make_stream(name).is_incremental
        for name in ("calls", "usage_records_daily", "queues", "usage_records", "call_recordings")
    }

    assert [name for name, is_so in found.items() if is_so] == ["calls", "usage_records_daily"]


def test_a_stream_that_is_to_be_read_whole_keeps_no_bookmark():
    stream = make_stream("calls", state=state_of(calls=MARK))
    stream.forced_replication_method = "FULL_TABLE"

    assert not stream.is_incremental
    assert stream.bookmark(WHOSE) is None
    assert window_of(stream) == (iso(EPOCH), None)
    stream.finish(WHOSE, Window(EPOCH, None), 0)
    assert bookmarks_of(tap_of(stream)) == {("calls", ACCOUNT): MARK}
    assert states(tap_of(stream)) == []


def test_no_catalog_makes_a_stream_without_date_filter_incremental():
    stream = make_stream("queues")
    stream.forced_replication_method = "INCREMENTAL"

    assert not stream.is_incremental


def test_below_a_stream_that_is_incremental_no_other_is():
    tap = make_tap(DatedRecordings)
    assert not tap.streams["call_recordings"].is_incremental

    tap = make_tap(DatedRecordings)
    tap.streams["calls"].forced_replication_method = "FULL_TABLE"
    assert tap.streams["call_recordings"].is_incremental


@pytest.mark.parametrize(
    ("name", "config", "skips"),
    [
        ("queues", {"skip_unchanged": True}, True),
        ("queues", {}, False),
        ("conferences", {"skip_unchanged": True}, False),
        ("call_recordings", {"skip_unchanged": True}, False),
        ("balance", {"skip_unchanged": True}, False),
        ("studio_flows", {"skip_unchanged": True}, True),
    ],
)
def test_only_an_accounts_own_list_that_tells_changes_leaves_out_unchanged_rows(
    name, config, skips
):
    assert make_stream(name, **config).skips_unchanged is skips


def test_a_list_that_is_not_selected_leaves_nothing_out():
    tap = make_tap("queue_members", skip_unchanged=True)

    assert not tap.streams["queues"].skips_unchanged


def test_a_field_that_is_no_moment_tells_no_changes():
    stream = make_stream("queues", skip_unchanged=True)
    stream.schema["properties"]["date_updated"] = {"type": "string"}

    assert not stream.skips_unchanged


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

    assert window_of(make_stream(name, state=state, **config)) == window


@settings(max_examples=20)
@given(
    mark=st.datetimes(utc("2010-01-01").replace(tzinfo=None), NOW.replace(tzinfo=None)),
    days=st.none() | st.floats(0, 400),
    name=st.sampled_from(["calls", "notifications", "usage_records_monthly"]),
)
def test_what_is_read_begins_at_least_the_look_back_before_the_bookmark(mark, days, name):
    moment = utc(str(mark.replace(microsecond=0)))
    config = {} if days is None else {"lookback_days": days}

    stream = make_stream(name, state=state_of(**{name: iso(moment)}), **config)

    lookback = stream.lookback if days is None else timedelta(days=days)
    whole = stream.range(WHOSE)
    assert whole.end is None
    assert whole.start <= max(EPOCH, moment - lookback)
    assert whole.start >= max(EPOCH, moment - lookback - 31 * DAY)


def test_the_look_back_counts_from_the_present_by_the_clock_that_dates_rows():
    clock = utc("2026-11-15T00:00:00")

    stream = make_stream("calls", state=state_of(calls="2026-11-19T00:00:00Z"), clock=clock)

    assert window_of(stream) == ("2026-11-12T00:00:00Z", None)


def test_rows_that_twilio_does_not_keep_are_told_where_they_were_asked_for(caplog):
    asked = make_stream("messages", start_date="2025-01-01")
    asked.range(WHOSE)
    assert [one.partition(": ")[2] for one in warnings_of(caplog)] == [
        "Twilio keeps these rows for 400 days: reading from 2025-10-16T12:39:56Z on"
    ]

    caplog.clear()
    for config in ({}, {"start_date": "2025-10-16T11:39:56Z"}, {"start_date": "2008-01-01"}):
        make_stream("messages", **config).range(WHOSE)
    assert warnings_of(caplog) == []
    make_stream("messages", start_date="2025-10-16T11:39:55Z").range(WHOSE)
    assert len(warnings_of(caplog)) == 1


def test_each_stream_of_a_branch_wants_its_own_stretch():
    mark, later = "2026-11-01T00:00:00Z", "2026-11-10T00:00:00Z"
    tap = make_tap(
        "calls",
        "call_recordings",
        "call_feedback",
        unselected=["call_events"],
        state=state_of(calls=later, call_recordings=mark, call_events=mark),
    )
    calls = tap.streams["calls"]

    assert {name: iso(moment) for name, moment in calls.starts(WHOSE).items()} == {
        "calls": "2026-11-07T00:00:00Z",
        "call_recordings": "2026-10-29T00:00:00Z",
        "call_feedback": "2008-01-01T00:00:00Z",
    }
    assert window_of(calls) == ("2008-01-01T00:00:00Z", None)


def test_a_stream_that_cannot_be_read_wants_nothing():
    tap = make_tap("calls", "call_recordings", state=state_of(calls=MARK))
    tap.run.refused.add(("call_recordings", ACCOUNT))

    assert window_of(tap.streams["calls"]) == ("2026-11-07T08:00:00Z", None)
    tap.run.refused.add(("calls", SUBACCOUNT))
    assert window_of(tap.streams["calls"], {"account_sid": SUBACCOUNT}) is None


def test_what_is_wanted_stays_as_it_was_when_the_run_began():
    stream = make_stream("calls", state=state_of(calls=MARK))
    before = window_of(stream)
    stream.move_bookmark(WHOSE, NOW)

    assert window_of(stream) == before
    assert stream.bookmark(WHOSE) == NOW


def test_accounts_have_bookmarks_of_their_own():
    stream = make_stream("calls", state=state_of(calls={SUBACCOUNT: MARK}))

    assert window_of(stream) == ("2008-01-01T00:00:00Z", None)
    assert window_of(stream, {"account_sid": SUBACCOUNT}) == ("2026-11-07T08:00:00Z", None)


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
    tap = make_tap(
        "calls",
        "call_recordings",
        unselected=["call_feedback"],
        state=state_of(calls="2026-11-10T00:00:00Z", call_recordings="2026-10-20T00:00:00Z"),
    )
    calls = tap.streams["calls"]
    calls.starts(WHOSE)
    tap.run.refused.update((name, ACCOUNT) for name in refused)
    asked = window and Window(utc(window[0]), window[1] and utc(window[1]))
    request = Request(calls, WHOSE, (0,), {}, window=asked)

    assert calls.is_news(request, [tap.streams[name] for name in whose]) is is_news


def test_of_a_list_without_bookmark_all_is_news():
    stream = make_stream("calls", state=state_of(calls=MARK))
    stream.forced_replication_method = "FULL_TABLE"
    request = Request(stream, WHOSE, (0,), {}, window=Window(EPOCH, EPOCH + DAY))

    assert stream.is_news(request, [])


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
    tap = make_tap("calls", "call_recordings", state=state_of(**marks))
    tap.run.refused.update((name, ACCOUNT) for name in refused)

    found = tap.streams["calls"].bookmark(WHOSE)

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
    stream = make_stream("calls", state=state_of(calls={ACCOUNT: held}))

    found = stream.bookmark(WHOSE)

    assert found == (bookmark and utc(bookmark.rstrip("Z")))


def test_another_taps_bookmark_holds_for_accounts_without_their_own():
    stream = make_stream("calls", state={"bookmarks": {"calls": MARK}})
    assert stream.bookmark(WHOSE) == MOMENT

    stream.move_bookmark(WHOSE, MOMENT + DAY)
    assert stream.bookmark(WHOSE) == MOMENT + DAY
    assert stream.bookmark({"account_sid": SUBACCOUNT}) == MOMENT


def test_a_list_that_leaves_out_unchanged_rows_keeps_its_bookmark_for_itself():
    state = state_of(queues=MARK)
    kept = make_tap("queues", "queue_members", skip_unchanged=True, state=state).streams["queues"]
    assert kept.bookmark(WHOSE) == MOMENT
    kept.move_bookmark(WHOSE, NOW)
    assert bookmarks_of(tap_of(kept)) == {("queues", ACCOUNT): iso(NOW)}

    assert make_stream("queues", state=state).bookmark(WHOSE) is None


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
    stream = make_stream("calls", state=state, clock=clock)

    stream.move_bookmark(WHOSE, moment)

    assert bookmarks_of(tap_of(stream)) == {("calls", ACCOUNT): after}


@settings(max_examples=20)
@given(
    moves=st.lists(st.integers(-900, 900), min_size=1, max_size=8),
    mark=st.none() | st.integers(-900, 0),
)
def test_bookmarks_never_move_back(moves, mark):
    hour = timedelta(hours=1)
    state = {} if mark is None else state_of(calls=iso(NOW + mark * hour))
    stream = make_stream("calls", state=state)
    last = stream.bookmark(WHOSE) or EPOCH

    for move in moves:
        stream.move_bookmark(WHOSE, NOW + move * hour)
        assert last <= stream.bookmark(WHOSE) <= NOW
        assert stream.bookmark(WHOSE) >= min(NOW, NOW + move * hour)
        last = stream.bookmark(WHOSE)


def test_a_bookmark_that_moved_is_written_as_the_streams_own():
    stream = make_stream("calls")
    stream.state_manager.is_flushed = True

    stream.move_bookmark(WHOSE, MOMENT)

    assert tap_of(stream).state == state_of(calls=MARK)
    assert stream.state_manager.is_flushed is False


def test_all_of_a_branch_move_but_what_cannot_be_read():
    tap = make_tap(
        "calls",
        "call_recordings",
        "call_feedback",
        unselected=["call_events"],
        state=state_of(call_feedback=MARK),
    )
    tap.run.refused.add(("call_recordings", ACCOUNT))

    tap.streams["calls"].move_bookmark(WHOSE, MOMENT + DAY)

    later = "2026-11-11T08:00:00Z"
    assert bookmarks_of(tap) == {("calls", ACCOUNT): later, ("call_feedback", ACCOUNT): later}


def test_each_of_a_branch_moves_by_itself():
    tap = make_tap("calls", "call_recordings", state=state_of(calls=iso(NOW), call_recordings=MARK))

    tap.streams["calls"].move_bookmark(WHOSE, MOMENT + DAY)

    assert bookmarks_of(tap) == {
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

    stream = tap.streams["messages"]
    stream.move_bookmark(WHOSE, MOMENT)
    stream.note_search(WHOSE, MOMENT)
    stream.note_searched(WHOSE, MARK)
    tap.streams["message_media"].note_refusal(WHOSE | {"message_sid": "SM1"})
    tap.streams["queues"].move_bookmark(WHOSE, MOMENT)

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
    tap = make_tap("calls")
    tap.run.progress.failures += [object()] * failures

    tap.streams["calls"].finish(WHOSE, window and Window(*window), before)

    assert bookmarks_of(tap) == ({} if after is None else {("calls", ACCOUNT): after})
    assert states(tap) == ([] if after is None else [state_of(calls=after)])


def test_a_list_of_each_parent_moves_no_bookmark_by_itself():
    tap = make_tap("studio_executions")

    tap.streams["studio_executions"].finish(WHOSE, Window(EPOCH, MOMENT), 0)

    assert tap.state == {}


ALONE = ("studio_executions",)
WITH_STEPS = ("studio_executions", "studio_execution_steps")


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
    tap = make_tap(*streams, "studio_flow_revisions", unselected=["studio_test_users"])
    tap.run.failed.update(failed)
    tap.run.refused.update(refused)

    tap.streams["studio_flows"].finish_below(WHOSE)

    reached = {(name, ACCOUNT): iso(NOW) for name in streams}
    assert bookmarks_of(tap) == (reached if moves else {})
    assert len(states(tap)) == moves


def test_a_list_of_each_parent_that_was_refused_meanwhile_moves_nothing():
    tap = make_tap("studio_executions")
    tap.streams["studio_executions"].range(WHOSE)
    tap.run.refused.add(("studio_executions", ACCOUNT))

    tap.streams["studio_flows"].finish_below(WHOSE)

    assert tap.state == {}
    assert states(tap) == []


def test_a_list_of_each_parent_that_is_read_whole_moves_nothing():
    tap = make_tap("studio_executions")
    tap.streams["studio_executions"].forced_replication_method = "FULL_TABLE"

    tap.streams["studio_flows"].finish_below(WHOSE)

    assert tap.state == {}


def test_lists_of_each_parent_move_the_bookmark_of_their_account():
    own = {SUBACCOUNT: {"auth_token": OWN_TOKEN}}
    tap = make_tap("studio_executions", subaccount_credentials=own)

    tap.streams["studio_flows"].finish_below({"account_sid": SUBACCOUNT})

    assert bookmarks_of(tap) == {("studio_executions", SUBACCOUNT): iso(NOW)}


def test_a_list_of_each_parent_moves_its_bookmark_to_the_end_of_the_run():
    config = {"start_date": "2026-11-01", "end_date": "2026-11-05"}
    tap = make_tap("studio_executions", **config)
    tap.streams["studio_flows"].finish_below(WHOSE)
    assert bookmarks_of(tap) == {("studio_executions", ACCOUNT): "2026-11-05T00:00:00Z"}

    nothing = make_tap(
        "studio_executions", state=state_of(studio_executions=MARK), end_date="2026-10-01"
    )
    nothing.streams["studio_flows"].finish_below(WHOSE)
    assert bookmarks_of(nothing) == {("studio_executions", ACCOUNT): MARK}
    assert states(nothing) == []


# --- Rows without a date -------------------------------------------------------------------------


def notes_of(tap, name):
    held = tap.state.get("bookmarks", {}).get(name, {}).get("partitions", [])
    return [
        {key: value for key, value in one.items() if key.startswith("un")}
        for one in held
        if one["context"] == WHOSE
    ]


def test_a_search_that_is_still_to_be_done_is_noted_for_all_of_a_branch():
    tap = make_tap("messages", "message_media")
    messages = tap.streams["messages"]
    for stream in (messages, tap.streams["message_media"]):
        stream.state_manager.is_flushed = True

    messages.note_search(WHOSE, MOMENT)

    assert notes_of(tap, "messages") == notes_of(tap, "message_media") == [{"undated_since": MARK}]
    assert messages.unsearched(WHOSE) == [MOMENT, MOMENT]
    assert messages.unsettled(WHOSE) == []
    assert messages.state_manager.is_flushed is False
    assert tap.streams["message_media"].state_manager.is_flushed is False


@pytest.mark.parametrize("unsettled", [MARK, None])
def test_a_search_that_was_done_is_noted_with_what_is_still_to_change(unsettled):
    held = {"undated_since": "2026-10-01T00:00:00Z", "unsettled_since": "2026-10-02T00:00:00Z"}
    tap = make_tap("messages", state=state_of(messages={ACCOUNT: held}))
    messages = tap.streams["messages"]
    assert messages.unsearched(WHOSE) == [utc("2026-10-01")]
    assert messages.unsettled(WHOSE) == [utc("2026-10-02")]

    messages.note_searched(WHOSE, unsettled)

    assert notes_of(tap, "messages") == [{"unsettled_since": MARK} if unsettled else {}]
    assert messages.unsearched(WHOSE) == []
    assert messages.unsettled(WHOSE) == ([MOMENT] if unsettled else [])
    assert len(states(tap)) == 1


def test_a_search_that_was_never_noted_is_done_as_well():
    tap = make_tap("messages")

    tap.streams["messages"].note_searched(WHOSE, None)

    assert notes_of(tap, "messages") == [{}]


def test_what_cannot_be_read_keeps_what_it_has_to_search():
    held = {ACCOUNT: {"undated_since": MARK}}
    tap = make_tap("messages", "message_media", state=state_of(messages=held, message_media=held))
    tap.run.refused.add(("message_media", ACCOUNT))
    messages = tap.streams["messages"]

    assert messages.unsearched(WHOSE) == [MOMENT]
    messages.note_searched(WHOSE, None)

    assert notes_of(tap, "messages") == [{}]
    assert notes_of(tap, "message_media") == [{"undated_since": MARK}]


@pytest.mark.parametrize("reason", ["read whole", "of each parent"])
def test_searches_are_noted_only_where_bookmarks_are_kept(reason):
    stream = make_stream("messages" if reason == "read whole" else "studio_executions")
    if reason == "read whole":
        stream.forced_replication_method = "FULL_TABLE"

    stream.note_search(WHOSE, MOMENT)

    assert tap_of(stream).state == {}


# --- What was refused ----------------------------------------------------------------------------


def test_a_refusal_below_windows_is_kept_until_it_is_over():
    tap = make_tap("message_media")
    media = tap.streams["message_media"]
    media.state_manager.is_flushed = True
    context = WHOSE | {"message_sid": "SM1"}

    media.note_refusal(context)

    assert tap.state["bookmarks"]["message_media"]["partitions"] == [
        {"context": WHOSE, "refused": {"message_sid": "SM1"}}
    ]
    assert media.state_manager.is_flushed is False
    assert media.refusals() == [context]
    media.forget_refusal(SUBACCOUNT)
    assert media.refusals() == [context]
    media.forget_refusal(ACCOUNT)
    assert media.refusals() == []
    media.forget_refusal(ACCOUNT)


def test_refusals_are_told_by_account():
    held = {
        ACCOUNT: {"refused": {"message_sid": "SM1"}},
        SUBACCOUNT: {"refused": {"message_sid": "SM2"}},
    }
    media = make_stream("message_media", state=state_of(message_media=held))

    assert [context["message_sid"] for context in media.refusals()] == ["SM1", "SM2"]
    media.forget_refusal(ACCOUNT)
    assert media.refusals() == [{"account_sid": SUBACCOUNT, "message_sid": "SM2"}]


@pytest.mark.parametrize("name", ["queues", "calls", "alerts"])
def test_a_refusal_of_an_accounts_own_list_needs_no_note(name):
    stream = make_stream(name)

    stream.note_refusal(WHOSE)

    assert tap_of(stream).state == {}
    assert stream.refusals() == []


def test_a_refusal_is_not_kept_where_it_would_tell_personal_data():
    stream = make_stream("message_media")
    stream.wire_schema["properties"]["message_sid"] = {"x-twilio-pii": "standard"}

    stream.note_refusal(WHOSE | {"message_sid": "SM1"})

    assert tap_of(stream).state == {}


# --- Rows that did not change --------------------------------------------------------------------


def kept_of(dates, bookmark):
    stream = make_stream("queues", skip_unchanged=True)
    rows = [{"sid": str(n), "date_updated": date} for n, date in enumerate(dates)]
    page = Page(None, 0, 0, None, None, Request(stream, WHOSE, (0,), {}), records=list(rows))
    stream.drop_unchanged(page, bookmark)
    return [row["date_updated"] for row in page.records], page


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

    kept, page = kept_of(dates, MOMENT)

    assert kept == [*dates[2:5], None]
    assert [row["date_updated"] for row in page.parents] == dates
    assert [row["sid"] for _, row in page.numbered()] == [str(n) for n in range(7)]


def test_rows_are_told_apart_by_the_second():
    dates = ["2026-11-10T07:00:04Z", "2026-11-10T07:00:05Z"]

    kept, _ = kept_of(dates, MOMENT + timedelta(seconds=5))

    assert kept == dates[1:]


def test_without_bookmark_no_row_is_left_out():
    kept, page = kept_of(["2008-01-01T00:00:00Z"], None)

    assert kept == ["2008-01-01T00:00:00Z"]
    assert page.parents is None
