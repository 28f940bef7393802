"""dlt's source, loaded into real destinations."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import dlt
import duckdb
import pyarrow.dataset as ds
import pytest
from dlt.pipeline.exceptions import PipelineStepFailed

import environments
from environments.postgres import DATABASE, PASSWORD, USER, Postgres
from harness import STREAMS_BY_NAME, schema_of, truth
from sandbox import faults
from sandbox.paths import CALLS, MESSAGES
from tap_twilio import dlt as source
from tap_twilio.arrow.reading import tap_for
from tap_twilio.dlt import twilio as twilio_source

STREAMS = ["calls", "messages", "message_media"]
FIELDS = schema_of(STREAMS_BY_NAME["calls"])["properties"]
LIST = CALLS.rpartition("/")[2]

KILLED = """
import os, sys
import dlt
from tap_twilio.dlt import twilio

place, when = sys.argv[1:]
pipeline = dlt.pipeline("kills", destination=dlt.destinations.duckdb(place), dataset_name="twilio")
source = twilio(streams=["calls", "messages"], page_size=20)
if when == "extracting":
    source.messages.add_map(lambda table: os._exit(9))
pipeline.extract(source)
pipeline.normalize()
os._exit(9)
"""


@pytest.fixture
def warehouse(tmp_path):
    return tmp_path / "warehouse.duckdb"


@pytest.fixture
def pipeline(warehouse, twilio):  # noqa: ARG001 - dlt's home is in the environment, too
    return dlt.pipeline(
        "tests", destination=dlt.destinations.duckdb(str(warehouse)), dataset_name="twilio"
    )


def query(warehouse, sql):
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        return connection.sql(sql).fetchall()


def loaded(warehouse, stream):
    return sorted(sid for (sid,) in query(warehouse, f"SELECT sid FROM twilio.{stream}"))  # noqa: S608


def wanted(twilio, stream):
    return sorted(row["sid"] for row in truth(twilio, STREAMS_BY_NAME[stream]))


def types(warehouse, stream):
    return {
        name: kind
        for name, kind, *_ in query(warehouse, f"DESCRIBE twilio.{stream}")
        if not name.startswith("_dlt")
    }


def happen(twilio):
    """Have a day pass, in which there is a call, and another one changes."""
    rows = truth(twilio, STREAMS_BY_NAME["calls"])
    last = max(rows, key=lambda row: row["start_time"] or "")
    twilio.patch(last["sid"], price="-9.75", price_unit="EUR")
    twilio.advance(timedelta(hours=12))
    row = twilio.truth("api", CALLS)[0]
    moment = twilio.now.strftime("%a, %d %b %Y %H:%M:%S +0000")
    new = {**row, "sid": f"CA{'9' * 32}", "date_created": moment, "start_time": moment}
    twilio.add("api", CALLS, new)
    twilio.advance(timedelta(hours=12))
    return last["sid"], new["sid"]


def test_two_runs_load_the_servers_rows_once_and_typed(pipeline, warehouse, twilio):
    # To look at what a resource has is no run: it moves no bookmark.
    assert sum(batch.num_rows for batch in twilio_source().calls) == len(wanted(twilio, "calls"))

    pipeline.run(twilio_source(streams=STREAMS))

    for stream in STREAMS:
        assert loaded(warehouse, stream) == wanted(twilio, stream)
    found = types(warehouse, "calls")
    assert set(found) == {*FIELDS, "additional_fields"}
    assert found["start_time"] == "TIMESTAMP WITH TIME ZONE"
    assert found["price"] == "DECIMAL(38,18)"
    assert found["duration"] == "BIGINT"
    assert found["subresource_uris"] == "JSON"
    want = {row["sid"]: row for row in truth(twilio, STREAMS_BY_NAME["calls"])}
    for sid, start, price, uris in query(
        warehouse, "SELECT sid, start_time, price, subresource_uris FROM twilio.calls"
    ):
        assert float(price or 0) == (want[sid]["price"] or 0)
        assert json.loads(uris) == want[sid]["subresource_uris"]
        if want[sid]["start_time"]:
            assert start == datetime.fromisoformat(want[sid]["start_time"])

    changed, new = happen(twilio)
    media = len(query(warehouse, "FROM twilio.message_media"))
    twilio.requests.reset()
    pipeline.run(twilio_source().with_resources("calls", "messages"))

    for stream in ("calls", "messages"):
        assert loaded(warehouse, stream) == wanted(twilio, stream)
    assert new in loaded(warehouse, "calls")
    assert query(warehouse, f"SELECT price FROM twilio.calls WHERE sid = '{changed}'") == [  # noqa: S608
        (Decimal("-9.75"),)
    ]
    assert len(query(warehouse, "FROM twilio.message_media")) == media
    asked = [dict(one.query) for one in twilio.requests if one.path.endswith(LIST)]
    assert asked
    oldest = min(query["StartTime>"] for query in asked if "StartTime>" in query)
    assert oldest > (twilio.now - timedelta(days=45)).strftime("%Y-%m-%d")


def test_the_recipe_does_what_it_says(twilio, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = (environments.ROOT / "docs" / "dlt.md").read_text()
    (recipe,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)

    exec(recipe, {})  # noqa: S102 - what people would type

    since = (datetime.now(UTC) - timedelta(days=29)).strftime("%Y-%m-%dT%H:%M:%SZ")
    newest = {
        row["sid"]
        for row in truth(twilio, STREAMS_BY_NAME["messages"])
        if (row["date_sent"] or "") > since
    }
    assert newest
    assert newest <= set(loaded(tmp_path / "phone.duckdb", "messages"))
    assert loaded(tmp_path / "phone.duckdb", "message_media")


@pytest.mark.parametrize("when", ["extracting", "loading"])
def test_a_run_that_is_killed_loses_and_doubles_nothing(twilio, warehouse, when):
    command = [sys.executable, "-c", KILLED, str(warehouse), when]
    killed = subprocess.run(command, capture_output=True, text=True, check=False)
    assert killed.returncode == 9, killed.stderr
    happen(twilio)

    pipeline = dlt.pipeline(
        "kills", destination=dlt.destinations.duckdb(str(warehouse)), dataset_name="twilio"
    )
    for _ in range(2):  # the first loads what was left, if anything was
        pipeline.run(twilio_source(streams=["calls", "messages"], page_size=20))

    for stream in ("calls", "messages"):
        assert loaded(warehouse, stream) == wanted(twilio, stream)


def test_the_state_covers_only_what_was_given_where_a_run_is_cut_short(
    pipeline, warehouse, twilio, monkeypatch
):
    monkeypatch.setattr(source, "ROWS", 15)
    settings = {"streams": ["messages"], "page_size": 5, "lookback_days": 0}
    part = twilio_source(**settings)
    part.resources[source.RUN].add_limit(6)
    pipeline.run(part)

    assert len(loaded(warehouse, "messages")) < len(wanted(twilio, "messages"))
    assert pipeline.state["sources"]["twilio"]["resources"]["messages"][source.BOOKMARKS]

    pipeline.run(twilio_source(**settings))

    assert loaded(warehouse, "messages") == wanted(twilio, "messages")


def test_fields_that_twilio_adds_become_columns(pipeline, warehouse, twilio):
    first, second, *_ = (row["sid"] for row in truth(twilio, STREAMS_BY_NAME["calls"]))
    twilio.patch(first, rating="4.5", newScore=7, PriceUnit="x", details={"a": 1}, nothing=None)
    pipeline.run(twilio_source(streams=["calls"]))

    found = types(warehouse, "calls")
    assert found["rating"] == "VARCHAR"
    assert found["new_score"] == "DECIMAL(38,18)"
    assert "nothing" not in found
    rows = f"SELECT rating, new_score, details, additional_fields FROM twilio.calls WHERE sid = '{first}'"  # noqa: E501, S608
    assert query(warehouse, rows) == [("4.5", 7, '{"a":1}', '{"PriceUnit":"x"}')]

    twilio.patch(second, rating=5, newScore="8.5", details=[1])
    pipeline.run(twilio_source(streams=["calls"]))

    assert query(warehouse, rows) == [("4.5", 7, '{"a":1}', '{"PriceUnit":"x"}')]
    rows = rows.replace(first, second)
    assert query(warehouse, rows) == [("5", Decimal("8.5"), "[1]", None)]


def test_settings_come_from_dlts_configuration(pipeline, warehouse, twilio, monkeypatch):
    for name in ("ACCOUNT_SID", "AUTH_TOKEN", "START_DATE"):
        monkeypatch.delenv(f"TAP_TWILIO_{name}")
    monkeypatch.setenv("SOURCES__TWILIO__ACCOUNT_SID", twilio.account_sid)
    monkeypatch.setenv("SOURCES__TWILIO__AUTH_TOKEN", twilio.auth_token)
    monkeypatch.setenv("SOURCES__TWILIO__START_DATE", "P10D")
    monkeypatch.setenv("SOURCES__TWILIO__STREAMS", '["calls"]')

    found = twilio_source()
    assert list(found.selected_resources) == ["calls"]
    pipeline.run(found)

    since = datetime.now(UTC) - timedelta(days=11)
    ((oldest,),) = query(warehouse, "SELECT min(date_created) FROM twilio.calls")
    assert oldest > since


def test_by_default_it_selects_what_the_tap_does():
    credentials = {"account_sid": "AC" + "1" * 32, "auth_token": "0" * 32}

    found = twilio_source(**credentials)

    assert set(found.resources) == {source.RUN, *STREAMS_BY_NAME}
    assert set(found.selected_resources) == {
        name for name, stream in STREAMS_BY_NAME.items() if stream.selected_by_default
    }
    normal = found.schema.naming.normalize_identifier
    for name, stream in tap_for([], **credentials).streams.items():
        assert found.resources[name].compute_table_schema()["write_disposition"] == "merge"
        columns = [normal(field) for field in stream.schema["properties"]]
        assert len(columns) == len(set(columns)), name


def test_what_goes_wrong_is_told_and_nothing_is_loaded(pipeline, warehouse, twilio):
    with pytest.raises(Exception, match="there is no stream 'cals'; did you mean 'calls'"):
        twilio_source(streams=["cals"])
    with pytest.raises(PipelineStepFailed, match="Twilio refused to sign in AC") as caught:
        pipeline.run(twilio_source(streams=["calls"], auth_token="f" * 32))
    assert "f" * 32 not in str(caught.value)

    twilio.plan(faults.answer(500), LIST, skip=2)
    with pytest.raises(PipelineStepFailed, match=r"calls of AC\w+: .*HTTP 500"):
        pipeline.run(twilio_source(streams=["calls"], page_size=20, max_retries=0))
    twilio.clear_plans()
    whole = twilio_source(streams=["calls"])
    pipeline.run(whole)
    happen(twilio)
    pipeline.run(whole)

    assert loaded(warehouse, "calls") == wanted(twilio, "calls")


def test_postgres(twilio):
    with Postgres.make() as server:
        place = f"postgresql://{USER}:{PASSWORD}@127.0.0.1:{server.port}/{DATABASE}"
        pipeline = dlt.pipeline(
            "postgres", destination=dlt.destinations.postgres(place), dataset_name="twilio"
        )
        pipeline.run(twilio_source(streams=STREAMS))
        changed, _ = happen(twilio)
        pipeline.run(twilio_source(streams=STREAMS))

        for stream in STREAMS:
            rows = server.query(f"SELECT sid FROM twilio.{stream}")  # noqa: S608
            assert sorted(row["sid"] for row in rows) == wanted(twilio, stream)
        columns = server.query(
            "SELECT column_name, data_type FROM information_schema.columns "
            "WHERE table_schema = 'twilio' AND table_name = 'calls'"
        )
        found = {column["column_name"]: column["data_type"] for column in columns}
        assert found["start_time"] == "timestamp with time zone"
        assert found["price"] == "numeric"
        assert found["subresource_uris"] == "jsonb"
        sql = f"SELECT price, start_time AT TIME ZONE 'UTC' AS at, subresource_uris FROM twilio.calls WHERE sid = '{changed}'"  # noqa: E501, S608
        (row,) = server.query(sql)
        (want,) = (row for row in truth(twilio, STREAMS_BY_NAME["calls"]) if row["sid"] == changed)
        assert row["price"] == want["price"] == -9.75
        assert row["subresource_uris"] == want["subresource_uris"]
        assert f"{row['at']}Z" == want["start_time"]


def test_a_folder_of_parquet(twilio, tmp_path):
    pipeline = dlt.pipeline(
        "files", destination=dlt.destinations.filesystem(tmp_path.as_uri()), dataset_name="lake"
    )

    def read():
        return ds.dataset(tmp_path / "lake" / "messages", format="parquet").to_table()

    pipeline.run(twilio_source(streams=["messages"]), loader_file_format="parquet")
    first = read()
    assert sorted(first["sid"].to_pylist()) == wanted(twilio, "messages")
    assert str(first.schema.field("date_sent").type) == "timestamp[us, tz=UTC]"
    assert str(first.schema.field("price").type) == "decimal128(38, 18)"

    row = twilio.truth("api", MESSAGES)[0]
    twilio.advance(timedelta(hours=12))
    moment = twilio.now.strftime("%a, %d %b %Y %H:%M:%S +0000")
    twilio.add("api", MESSAGES, {**row, "sid": f"SM{'9' * 32}", "date_sent": moment})
    twilio.advance(timedelta(hours=12))
    pipeline.run(twilio_source(streams=["messages"]), loader_file_format="parquet")

    assert sorted(set(read()["sid"].to_pylist())) == wanted(twilio, "messages")
