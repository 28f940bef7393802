"""What tasks there are, and what each of them reads: no session is needed."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta

import pytest
from pyspark.sql.datasource import EqualTo, GreaterThan, LessThan

from harness import STREAMS_BY_NAME, config_for, truth, utc_now
from sandbox import Sandbox, faults
from sandbox.paths import DAYS
from tap_twilio.arrow import TwilioError
from tap_twilio.records.pii import Rule
from tap_twilio.spark.jobs import Job
from tap_twilio.spark.source import UNTIL, Reader, StreamReader
from tests.doors.spark.conftest import wanted


@pytest.fixture(scope="module")
def small():
    volumes = {"calls": 60, "messages": 60}
    with Sandbox(seed=5, now=utc_now(), days=45, volumes=volumes, subaccounts=2) as twilio:
        yield twilio


@pytest.fixture(autouse=True)
def own(small, monkeypatch):
    for name in ("PII", "PII_KEY", "SUBACCOUNT_CREDENTIALS", "START_DATE"):
        monkeypatch.delenv(f"TAP_TWILIO_{name}", raising=False)
    yield
    small.clear_plans()


def job(twilio, stream, **options):
    given = {"start_date": "P50D", "retry_delay": "0", **config_for(twilio), **options}
    texts = {name: str(text) for name, text in given.items() if text is not None}
    return Job.from_options({"stream": stream} | texts)


def read(job, start=timedelta(days=50), columns=("sid",)):
    table = job.table()
    tasks = job.cut(None if start is None else job.present - start, None)
    return [
        [row for batch in job.read(task, table, list(columns)) for row in batch.to_pylist()]
        for task in tasks
    ]


def sids(parts):
    return sorted(row["sid"] for part in parts for row in part)


@pytest.mark.parametrize("stretches", [1, 6])
@pytest.mark.parametrize("stream", ["calls", "message_media", "conferences", "addresses"])
def test_tasks_are_the_whole_and_share_no_row(small, stream, stretches):
    parts = read(job(small, stream, stretches=stretches))

    assert sids(parts) == wanted(small, stream)
    dated = stream != "addresses"
    assert len(parts) == len(small.accounts) * (stretches if dated else 1)


def test_months_are_cut_by_none_but_months(small):
    keys = STREAMS_BY_NAME["usage_records_monthly"].primary_keys
    columns = [name for name in keys if name != "account_sid"] + ["account_sid"]

    few, many = (
        read(job(small, "usage_records_monthly", stretches=stretches), columns=columns)
        for stretches in (1, 7)
    )

    def flat(parts):
        return sorted(tuple(row.values()) for part in parts for row in part)

    assert flat(few) == flat(many) != []


def test_without_a_start_each_account_is_one_task(small):
    parts = read(job(small, "calls", start_date=None), start=None)

    assert sids(parts) == wanted(small, "calls")
    assert len(parts) == len(small.accounts)


def test_a_preview_is_of_each_account(small):
    parts = read(job(small, "calls", max_records=3))

    assert list(map(len, parts)) == [3] * len(small.accounts)


def test_the_list_of_accounts_is_one_task(small):
    (part,) = read(job(small, "accounts"))

    assert sorted(row["sid"] for row in part) == sorted(one.sid for one in small.accounts)


def test_accounts_that_only_the_settings_know_are_read(small, monkeypatch):
    _, *subaccounts = small.accounts
    own = {account.sid: {"auth_token": account.auth_token} for account in subaccounts}
    monkeypatch.setenv("TAP_TWILIO_SUBACCOUNT_CREDENTIALS", json.dumps(own))
    key = {"api_key_sid": small.standard_key.sid, "api_key_secret": small.standard_key.secret}

    parts = read(job(small, "messages", **key, auth_token=""))

    assert sids(parts) == wanted(small, "messages")


def test_tasks_of_one_account_share_its_requests(small):
    assert job(small, "calls").settings["max_concurrent_requests"] == 6
    assert job(small, "calls", stretches=32).settings["max_concurrent_requests"] == 1
    given = job(small, "calls", max_concurrent_requests=9)
    assert given.settings["max_concurrent_requests"] == 9


@pytest.mark.parametrize("pii", ["hash", "drop"])
def test_personal_data_stays_behind(small, monkeypatch, pii):
    monkeypatch.setenv("TAP_TWILIO_PII_KEY", "a long and random key")
    hashed = job(small, "messages", pii=pii)
    names = hashed.table().columns.struct.names

    rows = [row for part in read(hashed, columns=names) for row in part]

    bodies = {row["sid"]: row["body"] for row in truth(small, STREAMS_BY_NAME["messages"])}
    rule = Rule("hash", "a long and random key")
    assert len(rows) == len(bodies)
    for row in rows:
        assert row.get("body") == (rule.hide(bodies[row["sid"]]) if pii == "hash" else None)
    assert ("body" in names) == (pii == "hash")


def test_a_stream_that_may_not_be_read_is_warned_of(small, caplog):
    small.plan(faults.answer(403, 20003), "/Calls.json")

    assert sids(read(job(small, "calls", stretches=1))) == []
    assert caplog.text.count("calls: skipped for AC") == len(small.accounts)


def test_what_could_not_be_read_ends_its_task(small):
    small.plan(faults.answer(500), "/Calls.json")

    with pytest.raises(TwilioError, match=r"^calls of AC\w+: .* \(HTTP 500, "):
        read(job(small, "calls", max_retries=0))


def test_declared_streams_are_tables_too(small):
    declared = {
        "name": "my_calls",
        "product": "api",
        "path": "/2010-04-01/Accounts/{account_sid}/Calls.json",
        "key": ["sid"],
        "replication_key": "start_time",
        "date_parameters": {"after": "StartTime>", "before": "StartTime<", "undated": True},
    }
    mine = job(small, "my_calls", stretches=3, custom_streams=json.dumps([declared]))

    parts = read(mine)

    assert "status" in mine.table().columns.struct.names
    assert sids(parts) == wanted(small, "calls")
    assert len(parts) == len(small.accounts) * 3


def test_a_key_in_the_environment_needs_a_word_on_personal_data(small, monkeypatch):
    monkeypatch.setenv("TAP_TWILIO_PII_KEY", "a long and random key")

    with pytest.raises(TwilioError, match="pii_key: it is of no use"):
        job(small, "messages")
    assert job(small, "messages", pii="hash").tap().pii.how == "hash"
    assert job(small, "messages", pii="drop").tap().pii.how == "drop"
    assert job(small, "messages", pii="keep").tap().pii.how == "keep"


@pytest.mark.parametrize(
    ("bounds", "count"),
    [
        ([GreaterThan(("start_time",), datetime(1, 1, 1, tzinfo=UTC))], "all"),
        ([GreaterThan(("start_time",), datetime(1970, 1, 1, tzinfo=UTC))], "all"),
        ([LessThan(("start_time",), datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC))], "all"),
        ([LessThan(("start_time",), date(1970, 1, 1))], "none"),
        ([EqualTo(("start_time",), date(9999, 12, 31))], "none"),
        ([GreaterThan(("start_time",), date(9999, 12, 31))], "none"),
    ],
)
def test_bounds_at_the_ends_of_the_calendar(small, bounds, count):
    calls = job(small, "calls", start_date=None)
    reader = Reader(calls, calls.table().columns.struct)
    assert list(reader.pushFilters(bounds)) == bounds

    rows = [row for task in reader.partitions() for row in reader.read(task)]

    assert sum(batch.num_rows for batch in rows) == (
        len(wanted(small, "calls")) if count == "all" else 0
    )


def test_no_checkpoint_passes_twilios_clock():
    now = datetime.now(UTC) - timedelta(minutes=10)
    with Sandbox(now=now.strftime("%Y-%m-%dT%H:%M:%SZ"), volumes={"calls": 1}) as twilio:
        calls = job(twilio, "calls")
        reader = StreamReader(calls, calls.table().columns.struct)

        until = datetime.fromisoformat(reader.latestOffset({UNTIL: ""}, None)[UNTIL])
        reader.prepareForTriggerAvailableNow()
        latest = datetime.fromisoformat(reader.latestOffset({UNTIL: ""}, None)[UNTIL])

    for moment in (until, latest):
        assert now - timedelta(seconds=1) <= moment < now + timedelta(minutes=5)


def test_days_of_files_are_read_whole_and_bounded_by_dates(small):
    stream = job(small, "bulkexports_messages", start_date=None)
    days = small.truth("bulkexports", DAYS, ResourceType="Messages")

    parts = read(stream, start=None, columns=("sid", "day"))
    some = read(stream, start=timedelta(days=3), columns=("day",))

    assert len(parts) == len(small.accounts)
    found = [(row["sid"], row["day"].isoformat()) for row in parts[0]]
    want = [
        (row["sid"], day["day"])
        for day in days
        for row in small.exported("Messages", day["day"], small.account_sid)
    ]
    assert sorted(found) == sorted(want) != []
    first = (stream.present - timedelta(days=3)).date()
    assert all(row["day"] >= first for part in some for row in part)
