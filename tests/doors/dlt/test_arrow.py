"""Streams as readers of Arrow batches."""

from __future__ import annotations

import gc
import re
import runpy
import threading
from datetime import UTC, datetime, timedelta

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import environments
from harness import STREAMS_BY_NAME, truth, wait_until
from sandbox import faults
from sandbox.paths import CALLS
from tap_twilio import arrow
from tap_twilio.arrow import TwilioError, reading
from tap_twilio.engine.prefetch import WORKER

EXAMPLE = environments.ROOT / "examples" / "notebook" / "conversations.py"
LIST = CALLS.rpartition("/")[2]


def wanted(twilio, stream, condition=lambda _: True):
    rows = truth(twilio, STREAMS_BY_NAME[stream])
    return sorted(row["sid"] for row in rows if condition(row))


def sids(table):
    return sorted(table["sid"].to_pylist())


def requests_of(twilio):
    return sum(one.path.endswith(LIST) for one in twilio.requests)


def test_rows_are_the_servers_once_and_typed(twilio):
    by_sid = {row["sid"]: row for row in truth(twilio, STREAMS_BY_NAME["calls"])}

    reader = arrow.read("calls")
    table = reader.read_all()

    assert isinstance(reader, pa.RecordBatchReader)
    assert sids(table) == sorted(by_sid)
    for row in table.to_pylist():
        want = by_sid[row["sid"]]
        assert row["from"] == want["from"]
        assert row["duration"] == want["duration"]
        assert float(row["price"] or 0) == (want["price"] or 0)
        if want["start_time"] is not None:
            assert row["start_time"] == datetime.fromisoformat(want["start_time"])
    assert sids(arrow.read("message_media").read_all()) == wanted(twilio, "message_media")


def test_arguments_win_over_the_environment(twilio, monkeypatch):
    monkeypatch.setenv("TAP_TWILIO_FILTERS", '{"calls": {"status": "busy", "to": "+15550001"}}')
    (number, *_) = {row["to"] for row in truth(twilio, STREAMS_BY_NAME["calls"])}
    since = twilio.now - timedelta(days=20)
    twilio.requests.reset()

    table = arrow.read("calls", start_date=since, filters={"to": number}).read_all()

    text = since.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert sids(table) == wanted(
        twilio,
        "calls",
        lambda row: (
            row["to"] == number
            and row["status"] == "busy"
            and (row["start_time"] or row["date_created"]) >= text
        ),
    )
    asked = [dict(one.query) for one in twilio.requests if one.path.endswith(LIST)]
    assert {(query["To"], query["Status"]) for query in asked} == {(number, "busy")}


def test_what_takes_arrow_takes_it(twilio):
    count = len(wanted(twilio, "calls"))

    calls = duckdb.from_arrow(arrow.read("calls"))
    assert calls.aggregate("count(DISTINCT sid)").fetchall() == [(count,)]
    assert pl.from_arrow(arrow.read("calls"))["sid"].n_unique() == count
    assert arrow.read("calls").read_pandas()["sid"].nunique() == count
    frame = pd.DataFrame(arrow.read("calls", filters={"status": "busy"}).read_pandas())
    assert set(frame["status"]) == {"busy"}


def test_pages_are_read_as_batches_are_taken_until_the_reader_is_dropped(twilio, monkeypatch):
    monkeypatch.setattr(reading, "ROWS", 10)
    settings = {"page_size": 5, "max_concurrent_requests": 2}
    twilio.requests.reset()
    reader = arrow.read("calls", **settings)
    assert not twilio.requests

    batch = reader.read_next_batch()
    assert 10 <= batch.num_rows < 20
    assert requests_of(twilio) < 40  # all pages take twice as many

    del reader
    gc.collect()
    wait_until(
        lambda: not [one for one in threading.enumerate() if one.name == WORKER], "workers end"
    )
    assert requests_of(twilio) < 40


def test_lists_of_few_rows_share_a_batch(twilio):
    reader = arrow.read("message_media")

    assert [batch.num_rows for batch in reader] == [len(wanted(twilio, "message_media"))]


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"stream": "cals"}, "^there is no stream 'cals'; did you mean 'calls'?"),
        ({"stream": "calls", "pagesize": 5}, "^pagesize: there is no such setting; did you"),
        ({"stream": "calls", "stream_maps": {}}, "^stream_maps: there is no such setting"),
        ({"stream": "calls", "start_date": "soon"}, "^start_date: 'soon' is not a date"),
        ({"stream": "calls", "filters": {"too": "x"}}, "^filters.calls: the endpoint has no"),
    ],
)
def test_a_wrong_argument_is_told_in_one_sentence(twilio, settings, sentence):
    twilio.requests.reset()

    with pytest.raises(TwilioError, match=sentence):
        arrow.read(**settings)

    assert not twilio.requests


def test_what_cannot_be_read_is_told_in_one_sentence(twilio):
    with pytest.raises(TwilioError, match=r"^Twilio refused to sign in AC") as caught:
        arrow.read("calls", auth_token="f" * 32).read_all()
    assert "f" * 32 not in str(caught.value)

    twilio.plan(faults.answer(500), LIST, skip=2)
    reader = arrow.read("calls", page_size=20, max_retries=0)
    with pytest.raises(TwilioError, match=r"^calls of AC\w+: .*HTTP 500"):
        reader.read_all()


def test_recipes_do_what_they_say(twilio, capfd):
    text = (environments.ROOT / "docs" / "notebook.md").read_text()
    recipes = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    names = {}

    for recipe in recipes:
        exec(recipe, names)  # noqa: S102 - what people would type

    said = capfd.readouterr().out
    since = (datetime.now(UTC) - timedelta(days=30)).strftime("%Y-%m-%dT%H:%M:%SZ")
    missed = {
        row["to"]
        for row in truth(twilio, STREAMS_BY_NAME["calls"])
        if row["status"] in {"busy", "no-answer"} and (row["start_time"] or "") > since
    }
    assert len(recipes) == 3
    assert missed
    assert all(number in said for number in missed)
    assert "outbound-api" in said


def test_the_example_joins_calls_and_messages(twilio, capfd):
    runpy.run_path(str(EXAMPLE))

    said = capfd.readouterr().out
    since = (datetime.now(UTC) - timedelta(days=30)).strftime("%Y-%m-%d")
    numbers = {
        row["from"]
        for name, key in (("calls", "start_time"), ("messages", "date_sent"))
        for row in truth(twilio, STREAMS_BY_NAME[name])
        if (row[key] or "") > since
    }
    assert any(str(number) in said for number in numbers)


def test_nothing_is_ordered(twilio, caplog):
    order = {"order": True, "from": "P40D"}

    arrow.read("bulkexports_calls", bulkexport=order).read_all()

    assert "bulkexport.order has no effect" in caplog.text
    assert {one.method for one in twilio.requests} == {"GET"}
