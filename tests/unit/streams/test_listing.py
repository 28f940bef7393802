"""Streams are chosen by name, product or pattern, and listed with what they cost."""

from __future__ import annotations

import pytest

from tap_twilio.http.errors import TapError
from tap_twilio.streams import STREAMS, listing


@pytest.mark.parametrize(
    ("patterns", "names"),
    [
        ("calls", {"calls"}),
        ("calls, messages ,", {"calls", "messages"}),
        ("call_e*", {"call_events"}),
        ("balance,numbers_end_*", {"balance", "numbers_end_users", "numbers_end_user_types"}),
        ("call_*,!call_[er]*", {"call_feedback", "call_notifications"}),
    ],
)
def test_streams_are_chosen(patterns, names):
    assert {stream.name for stream in listing.chosen(patterns, STREAMS)} == names


def test_a_product_may_be_all_there_is_of_a_name():
    products = {stream.product for stream in listing.chosen("studio", STREAMS)}

    assert products == {"studio"}


@pytest.mark.parametrize(
    ("patterns", "said"),
    [
        ("clals", "--select: there is no stream or product 'clals'; did you mean 'calls'?"),
        ("calls,!queue", "--select: there is no stream or product 'queue'; did you mean 'queues'?"),
        ("calls,!calls", "--select: it leaves no stream; for example calls,messages"),
        ("", "--select: it leaves no stream; for example calls,messages"),
    ],
)
def test_what_chooses_nothing_is_a_mistake(patterns, said):
    with pytest.raises(TapError) as caught:
        listing.chosen(patterns, STREAMS)

    assert str(caught.value) == said


def test_a_list_tells_how_each_is_read_and_what_it_costs():
    names = "call_feedback,calls,balance,conferences,insights_call_metrics"

    assert [*listing.lines(listing.chosen(names, STREAMS))] == [
        "api",
        "* calls                  incremental  1 per page",
        "  call_feedback          full         1 per record of calls",
        "* conferences            incremental  1 per page of 3 lists",
        "* balance                full         1 per account",
        "insights",
        "  insights_call_metrics  full         5 per record of calls",
        "5 streams; 3 with * are defaults. The last column is requests.",
    ]
