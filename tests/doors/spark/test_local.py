"""Streams as tables, in Spark's local mode."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta

import pytest
import requests
from pyspark.errors import PySparkException

import environments
from harness import STREAMS_BY_NAME, truth
from sandbox import faults
from sandbox.paths import CALLS, MESSAGES
from tests.doors.spark.conftest import PII_KEY, session, wanted


@pytest.fixture(scope="module")
def events(tmp_path_factory):
    return tmp_path_factory.mktemp("events")


@pytest.fixture(scope="module")
def spark(twilio, events):  # noqa: ARG001 - its address is in the environment
    settings = {
        "spark.eventLog.enabled": "true",
        "spark.eventLog.compress": "false",
        "spark.eventLog.dir": events.as_uri(),
        "spark.ui.port": "0",
    }
    with session("local[2,3]", **settings) as spark:
        yield spark


@pytest.fixture(autouse=True)
def clean(twilio):
    yield
    twilio.clear_plans()


def asked(twilio, path):
    end = path.rpartition("/")[2]
    return [dict(one.query) for one in twilio.requests if one.path.endswith(end)]


def test_rows_are_the_servers_with_every_field_once(spark, twilio):
    frame = spark.read.format("twilio").option("stream", "messages").load()
    rows = [row.asDict() for row in frame.collect()]

    assert frame.rdd.getNumPartitions() == len(twilio.accounts) * 4
    assert sorted(row["sid"] for row in rows) == wanted(twilio, "messages")
    by_sid = {row["sid"]: row for row in truth(twilio, STREAMS_BY_NAME["messages"])}
    assert any(row["date_sent"] is None for row in rows)
    for row in rows:
        want = by_sid[row["sid"]]
        assert float(row["price"] or 0) == (want["price"] or 0)
        assert row["num_segments"] == want["num_segments"]
        assert row["body"] == want["body"]
        if want["date_sent"] is not None:
            # Naive, in the time zone of this process.
            sent = row["date_sent"].astimezone(UTC)
            assert sent == datetime.fromisoformat(want["date_sent"])


def test_recipes_do_what_they_say(spark, twilio, tmp_path):
    text = (environments.ROOT / "docs" / "spark.md").read_text()
    recipes = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    names = {}

    for recipe in recipes:
        exec(recipe.replace("/lake", str(tmp_path)), names)  # noqa: S102 - what people would type

    assert len(recipes) == 3
    for stream, frame in (
        ("calls", spark.read.parquet(str(tmp_path / "calls"))),
        ("messages", spark.read.parquet(str(tmp_path / "messages"))),
        ("message_media", spark.table("media")),
    ):
        assert sorted(row.sid for row in frame.select("sid").collect()) == wanted(twilio, stream)


def test_twilio_filters_where_it_can_and_only_wanted_columns_are_made(spark, twilio):
    calls = truth(twilio, STREAMS_BY_NAME["calls"])
    since = (twilio.now - timedelta(days=20)).replace(hour=3, minute=0, second=0)
    day = since.strftime("%Y-%m-%dT%H:%M:%SZ")
    twilio.requests.reset()

    frame = (
        spark.read.format("twilio")
        .options(stream="calls", stretches="2")
        .schema("sid string, status string, start_time timestamp")
        .load()
        .where(f"status IN ('busy', 'failed') AND start_time > timestamp'{day}'")
    )
    rows = frame.collect()

    assert frame.columns == ["sid", "status", "start_time"]
    assert sorted(row.sid for row in rows) == sorted(
        row["sid"]
        for row in calls
        if row["status"] in {"busy", "failed"} and (row["start_time"] or "") > day
    )
    queries = asked(twilio, CALLS)
    assert {query.get("Status") for query in queries} == {"busy", "failed"}
    earliest = min(query["StartTime>"] for query in queries if "StartTime>" in query)
    assert earliest == (since - timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_a_task_that_is_tried_again_adds_nothing(spark, twilio):
    broken = twilio.plan(faults.answer(500), MESSAGES.rpartition("/")[2], skip=5, times=2)
    options = {"stream": "messages", "stretches": "2", "page_size": "20", "max_retries": "0"}

    rows = spark.read.format("twilio").options(**options).load().select("sid").collect()

    assert broken.hits == 2
    assert sorted(row.sid for row in rows) == wanted(twilio, "messages")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({}, "the option 'stream' is required"),
        ({"stream": "cals"}, "there is no stream 'cals'; did you mean 'calls'?"),
        ({"stream": "calls", "stretches": "0"}, "'stretches' is a number from 1 on, not '0'"),
        ({"stream": "calls", "pagesize": "5"}, "pagesize: there is no such setting; did you"),
        ({"stream": "calls", "page_size": "many"}, "the option 'page_size' is not JSON: 'many'"),
        ({"stream": "calls", "pii_key": "a key"}, "environment, as TAP_TWILIO_PII_KEY\n"),
    ],
)
def test_a_wrong_option_is_told_in_one_sentence(spark, options, sentence):
    with pytest.raises(PySparkException) as caught:
        spark.read.format("twilio").options(**options).load()

    assert "TwilioError: " in str(caught.value)
    assert sentence in str(caught.value)


def test_what_twilio_refuses_is_told_in_one_sentence(spark, twilio):
    calls = spark.read.format("twilio").options(stream="calls", stretches="1")
    wrong = calls.options(auth_token="f" * 32).load()
    with pytest.raises(PySparkException, match="Twilio refused to sign in AC"):
        wrong.collect()
    twilio.plan(faults.answer(500), CALLS.rpartition("/")[2])
    calls = spark.read.format("twilio").options(stream="calls", stretches="1")
    broken = calls.options(max_retries="0").load()
    with pytest.raises(PySparkException, match=r"TwilioError: calls of AC\w+: .*HTTP 500"):
        broken.collect()


def test_a_stream_is_read_on_from_its_checkpoint(spark, twilio, tmp_path):
    def read_on():
        options = {"stream": "calls", "stretches": "2", "lookback_days": "0"}
        frame = spark.readStream.format("twilio").options(**options).load()
        frame = frame.select("sid", "start_time").where("start_time IS NOT NULL")
        writer = frame.writeStream.format("parquet").option("path", str(tmp_path / "rows"))
        writer = writer.option("checkpointLocation", str(tmp_path / "checkpoint"))
        writer.trigger(availableNow=True).start().awaitTermination()
        return sorted(row.sid for row in spark.read.parquet(str(tmp_path / "rows")).collect())

    def dated():
        rows = truth(twilio, STREAMS_BY_NAME["calls"])
        return sorted(row["sid"] for row in rows if row["start_time"])

    twilio.advance(datetime.now(UTC) - twilio.now)
    first, before = read_on(), dated()
    row = twilio.truth("api", CALLS)[0]
    moment = datetime.now(UTC).strftime("%a, %d %b %Y %H:%M:%S +0000")
    new = {**row, "sid": f"CA{'9' * 32}", "date_created": moment, "start_time": moment}
    twilio.add("api", CALLS, new)
    time.sleep(1.1)  # what happens within this second is the next read's
    twilio.advance(datetime.now(UTC) - twilio.now)
    second = read_on()

    assert first == before
    assert second == dated()
    assert new["sid"] in second


def test_secrets_are_in_no_plan_event_log_or_page(spark, twilio, events):
    spark.sql(
        f"""CREATE TEMPORARY VIEW secretive USING twilio OPTIONS (
            stream 'calls', max_records '1', auth_token '{twilio.auth_token}', pii 'hash')"""
    )
    rows = spark.sql("SELECT `to` FROM secretive").collect()
    plan = spark.table("secretive")._jdf.queryExecution().toString()  # noqa: SLF001

    assert all(len(row.to) == 64 for row in rows)
    shown = [plan, *(path.read_text() for path in events.rglob("*") if path.is_file())]
    ui = spark.sparkContext.uiWebUrl
    api = f"{ui}/api/v1/applications/{spark.sparkContext.applicationId}"
    pages = ["SQL/", *(f"SQL/execution/?id={number}" for number in range(3)), "environment/"]
    for address in (
        *(f"{ui}/{page}" for page in pages),
        f"{api}/environment",
        f"{api}/sql?details=true&planDescription=true&length=100",
    ):
        answer = requests.get(address, timeout=60)
        assert answer.ok
        shown.append(answer.text)
    assert "secretive" in "".join(shown)
    for secret in (PII_KEY, *twilio.secrets):
        assert not any(secret in text for text in shown)
