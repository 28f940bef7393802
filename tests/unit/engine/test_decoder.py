"""Decoding: of what comes, exactly what is wanted is kept, typed."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Raw

from tap_twilio.engine.decoder import Decoder
from tap_twilio.engine.requests import Fetched, Place, Request
from tap_twilio.http.errors import TapError
from tap_twilio.http.pagination import ShapeError
from tap_twilio.records.keys import identity
from tap_twilio.records.pii import Rule
from tap_twilio.resource.resource import Node
from tap_twilio.resource.windows import EPOCH, Window, iso
from tap_twilio.streams.api import Queues
from tests.unit.taps import (
    ACCOUNT,
    MOMENT,
    PII_KEY,
    WHOSE,
    fetched,
    make_engine,
    resource_of,
    utc,
    warnings_of,
)


def decode(stream, rows, *, window=None, decoder=None):
    """Decode rows of a stream, given by its name or its node."""
    node = Node(resource_of(stream)) if isinstance(stream, str) else stream
    request = Request(node, WHOSE, Place((0, 1, 0, 0)), {}, window=window)
    return (decoder or Decoder(node, Rule())).decode(fetched(request, rows))


def sids(batch):
    return [record.get("sid") for record in batch.records]


# --- Rows as they are typed ----------------------------------------------------------------------


def test_rows_are_typed_and_lack_no_parent():
    batch = decode("queues", [{"sid": "QU1", "current_size": "3", "auth_token": "s"}])

    assert batch.records == [{"sid": "QU1", "current_size": 3, "account_sid": ACCOUNT}]
    assert batch.received == 1


def test_a_record_lifts_what_lies_within_it():
    batch = decode(
        "wireless_usage_records",
        [
            {"period": {"start": "2026-11-01T00:00:00Z", "end": "2026-11-02T00:00:00Z"}},
            {"period": None},
            {},
        ],
    )

    assert [record["period_start"] for record in batch.records] == [
        "2026-11-01T00:00:00Z",
        None,
        None,
    ]
    assert batch.records[0]["period_end"] == "2026-11-02T00:00:00Z"


def test_a_stand_in_takes_the_place_of_what_is_null_by_right():
    batch = decode("supersim_usage_records", [{}, {"sim_sid": None}, {"sim_sid": "HS1"}])

    assert [record["sim_sid"] for record in batch.records] == ["", "", "HS1"]


@pytest.mark.parametrize(
    ("config", "fate"),
    [
        ({}, "passed on"),
        ({"pii": "drop"}, "dropped"),
        ({"pii": "hash", "pii_key": PII_KEY}, "hashed"),
    ],
)
def test_a_field_that_no_schema_knows_is_told_once(config, fate, caplog):
    engine = make_engine("queues", **config)
    for value in (1, 2):
        decode(engine.node, [{"sid": "QU1", "odd": value}], decoder=engine.decoder())

    assert warnings_of(caplog) == [f"queues: field 'odd' is not in the schema; it is {fate}"]


def test_secrets_of_a_stream_are_taken_out():
    class Odd(Queues):
        secret_fields = ("friendly_name",)

    batch = decode(make_engine(Odd).node, [{"sid": "QU1", "friendly_name": "a"}])

    assert batch.records == [{"sid": "QU1", "account_sid": ACCOUNT}]


def test_a_decoded_page_takes_more_memory_in_so_far_as_its_rows_are_kept():
    window = Window(utc("2026-11-10"), utc("2026-11-11"))
    inside, outside = "2026-11-10T08:00:00Z", "2026-11-11T08:00:00Z"

    found = [
        decode("calls", [{"sid": "CA", "start_time": date} for date in dates], window=window).size
        for dates in ([inside], [inside, outside], [inside, inside, outside], [outside], [])
    ]

    assert found == [400, 200, 266, 0, 0]


# --- Rows that are kept --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "window", "dates", "kept"),
    [
        (
            "calls",
            ("2026-11-10T08:00:00", "2026-11-11T08:00:00"),
            [
                "2026-11-10T07:59:59Z",
                "2026-11-10T08:00:00Z",
                "2026-11-10T08:00:00.500000Z",
                "2026-11-11T07:59:59Z",
                "2026-11-11T07:59:59.999000Z",
                "2026-11-11T08:00:00Z",
            ],
            [1, 2, 3, 4],
        ),
        (
            "calls",
            ("2026-11-10T08:00:00", None),
            ["2026-11-10T07:59:59Z", "2026-11-10T08:00:00Z", "2036-01-01T00:00:00Z"],
            [1, 2],
        ),
        ("calls", ("2008-01-01", "2026-11-11"), ["1970-01-01T00:00:00Z"], [0]),
        (
            "calls",
            ("2026-11-10T08:00:04", "2026-11-11T08:00:05"),
            [
                "2026-11-10T08:00:03Z",
                "2026-11-10T08:00:04Z",
                "2026-11-11T08:00:04Z",
                "2026-11-11T08:00:05Z",
            ],
            [1, 2],
        ),
        (
            "usage_records_daily",
            ("2026-11-10", "2026-11-11"),
            ["2026-11-09", "2026-11-10", "2026-11-11"],
            [1],
        ),
        (
            "usage_records_daily",
            ("2026-11-10", None),
            ["2026-11-09", "2026-11-10", "2036-01-01"],
            [1, 2],
        ),
        ("usage_records_daily", ("2008-01-01", None), ["1970-01-01"], [0]),
    ],
)
def test_rows_are_cut_to_their_window(name, window, dates, kept):
    key = resource_of(name).key
    rows = [{key: date} for date in dates]

    batch = decode(name, rows, window=Window(utc(window[0]), window[1] and utc(window[1])))

    assert [record[key] for record in batch.records] == [dates[index] for index in kept]
    assert batch.received == len(dates)


@given(
    dates=st.lists(st.integers(0, 100), max_size=10),
    cuts=st.lists(st.integers(1, 99), max_size=4, unique=True),
)
@settings(max_examples=30)
def test_a_row_is_in_one_window_of_a_plan(dates, cuts):
    edges = [utc("2026-11-10") + cut * timedelta(minutes=1) for cut in (0, *sorted(cuts), 101)]
    rows = [
        {"sid": str(n), "start_time": iso(utc("2026-11-10") + date * timedelta(minutes=1))}
        for n, date in enumerate(dates)
    ]

    batches = [decode("calls", rows, window=Window(*pair)) for pair in pairwise(edges)]

    assert sorted(sid for batch in batches for sid in sids(batch)) == sorted(
        str(n) for n in range(len(dates))
    )


@pytest.mark.parametrize(("config", "kept"), [({}, ["CA1"]), ({"end_date": "2026-11-15"}, [])])
def test_rows_without_a_date_are_kept_by_the_run_that_wants_them(config, kept):
    engine = make_engine("calls", **config)

    batch = decode(
        engine.node,
        [{"sid": "CA1", "start_time": None}],
        window=Window(EPOCH, MOMENT),
        decoder=engine.decoder(),
    )

    assert sids(batch) == kept


def test_a_list_without_windows_is_not_cut():
    batch = decode("calls", [{"sid": "CA1", "start_time": "1999-01-01T00:00:00Z"}])

    assert sids(batch) == ["CA1"]
    assert batch.last is None
    assert sids(decode("queues", [{"sid": "QU1"}], window=Window(MOMENT, None))) == ["QU1"]


def test_a_page_of_a_window_tells_the_last_row_that_came():
    rows = [
        {"sid": "CA1", "start_time": "2026-11-10T08:00:00Z"},
        {"sid": "CA2", "start_time": "2026-11-09T08:00:00Z"},
    ]

    batch = decode("calls", rows, window=Window(MOMENT, None))

    assert batch.last == (("CA2",), "2026-11-09T08:00:00Z")
    assert sids(batch) == ["CA1"]
    assert decode("calls", [], window=Window(MOMENT, None)).last is None


def test_a_row_is_known_by_its_key_and_by_all_of_it_where_that_lacks_a_value():
    keys = resource_of("call_events").keys

    assert identity({"call_sid": "CA1", "index": 0, "x": 1}, keys) == ("CA1", 0)
    odd = {"call_sid": "CA1", "index": None, "x": Decimal("1.50")}
    key = identity(odd, keys)
    assert key[:2] == ("CA1", None)
    assert key == identity(dict(odd), keys)
    assert key != identity(odd | {"x": 2}, keys)
    assert len(key) == 3


# --- Rows that are not what they should be -------------------------------------------------------


def raw_page(node, rows, *oddities):
    return Fetched(Request(node, WHOSE, Place((0, 0)), {}), Raw(rows), oddities=oddities)


def test_rows_are_decoded_once():
    engine = make_engine("queues")
    page = raw_page(engine.node, b'[{"sid":"QU1"}]')

    batch = engine.reader.opened(page)

    assert sids(batch) == ["QU1"]
    assert engine.reader.opened(batch) is batch
    assert sids(batch) == ["QU1"]
    assert batch.lost == 0
    assert batch.oddities == ()


def test_rows_that_are_no_objects_are_counted_and_what_was_mended_is_told():
    node = Node(resource_of("queues"))
    page = raw_page(node, b'[{"sid":"QU1"},null,7,{"sid":"QU2","n":"\xff"}]', "before")

    batch = Decoder(node, Rule()).decode(page)

    assert sids(batch) == ["QU1", "QU2"]
    assert batch.lost == 2
    assert batch.oddities[0] == "before"
    assert len(batch.oddities) == 2


def test_rows_that_cannot_be_mended_are_an_error_that_names_the_stream(monkeypatch):
    def decoded(_):
        msg = "odd"
        raise ShapeError(msg)

    monkeypatch.setattr("tap_twilio.http.pagination.decode", decoded)

    with pytest.raises(TapError, match=r"queues: .*odd"):
        decode("queues", [])
