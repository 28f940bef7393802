"""The models' figures are those of the rows at Twilio, whichever target loaded them."""

from __future__ import annotations

import json
import re
from collections import Counter
from contextlib import closing, contextmanager
from datetime import date, timedelta

import duckdb
import pytest
import yaml

from demo import models
from environments import ROOT
from harness import STREAMS_BY_NAME, truth, utc_now
from sandbox import Sandbox
from tests.doors.pipelines.postgres import DATABASE, PASSWORD, USER, Postgres
from tests.doors.transform.expected import Held, assert_same
from tests.doors.transform.tools import DBT, PROJECT, dbt, environment, load, plugin

door = pytest.mark.door
pytestmark = [
    pytest.mark.environment(*DBT),
    pytest.mark.environment(*environment("utilities", "dbt-postgres")),
    pytest.mark.environment(*environment("loaders", "target-postgres")),
    pytest.mark.environment(*environment("loaders", "target-duckdb")),
]

KINDS = {
    "string": {"varchar"},
    "integer": {"bigint"},
    "number": {"numeric(18, 6)", "numeric(28, 6)"},
}
FORMATS = {"date": "date", "date-time": "timestamp"}


@pytest.fixture(scope="module")
def twilio():
    """Four weeks of two accounts, with the odd rows that real ones have."""
    volumes = {"calls": 300, "messages": 300}
    with Sandbox(seed=5, now=utc_now(), days=29, subaccounts=1, volumes=volumes) as sandbox:
        calls, messages = (truth(sandbox, STREAMS_BY_NAME[name]) for name in ("calls", "messages"))
        completed = [row["sid"] for row in calls if row["status"] == "completed"]
        sandbox.patch(completed[0], price=None)
        sandbox.patch(completed[1], duration=None)
        sandbox.patch(completed[2], direction="brand-new")
        # The last second of a day is of that day, wherever the machine is.
        sandbox.patch(completed[3], start_time=_at(completed[3], calls, "23:59:59"))
        sandbox.patch(completed[4], start_time=_at(completed[4], calls, "00:00:00"))
        sandbox.patch(messages[0]["sid"], **{"from": 'it\'s "quoted"'})
        yield sandbox


def _at(sid, rows, time):
    (moment,) = (row["start_time"] for row in rows if row["sid"] == sid)
    return f"{date.fromisoformat(moment[:10]):%a, %d %b %Y} {time} +0000"


def load_twice(twilio, target, config, folder):
    """What the second run reads again is there in two versions, of which the latest counts."""
    calls = [row for row in truth(twilio, STREAMS_BY_NAME["calls"]) if row["status"] == "completed"]
    newest = max(calls, key=lambda row: row["start_time"])["sid"]
    twilio.patch(newest, duration="12345")
    load(twilio, target, config, folder)
    twilio.patch(newest, duration="99")
    load(twilio, target, config, folder)


@contextmanager
def in_duckdb(path):
    with closing(duckdb.connect(str(path), read_only=True)) as database:

        def query(sql):
            result = database.execute(sql)
            names = [column[0] for column in result.description]
            return [dict(zip(names, row, strict=True)) for row in result.fetchall()]

        yield query


@contextmanager
def jsonl(twilio, folder):
    rows = folder / "it's rows"
    rows.mkdir()
    config = {"destination_path": str(rows), "do_timestamp_file": False}
    load_twice(twilio, "target-jsonl", config, folder)
    warehouse = folder / "warehouse.duckdb"
    dbt("jsonl", folder, TWILIO_JSONL=str(rows), TWILIO_DUCKDB=str(warehouse))
    with in_duckdb(warehouse) as query:
        yield query


@contextmanager
def duck(twilio, folder):
    warehouse = folder / "warehouse.duckdb"
    config = {"path": str(warehouse), "default_target_schema": "twilio"}
    load_twice(twilio, "target-duckdb", config, folder)
    dbt("duckdb", folder, TWILIO_DUCKDB=str(warehouse))
    with in_duckdb(warehouse) as query:
        yield query


@contextmanager
def postgres(twilio, folder):
    with Postgres.make() as server:
        config = {
            "host": "127.0.0.1",
            "port": server.port,
            "user": USER,
            "password": PASSWORD,
            "database": DATABASE,
            "default_target_schema": "twilio",
        }
        load_twice(twilio, "target-postgres", config, folder)
        dbt(
            "postgres",
            folder,
            **server.settings,
            PGUSER=USER,
            PGPASSWORD=PASSWORD,
            PGDATABASE=DATABASE,
        )
        yield server.query


@pytest.fixture(scope="module", params=[jsonl, duck, postgres], ids=lambda way: way.__name__)
def query(request, twilio, tmp_path_factory):
    """Asks a warehouse in which the models were built."""
    with request.param(twilio, tmp_path_factory.mktemp("models")) as ask:
        yield ask


@pytest.fixture(scope="module")
def held(twilio):
    return Held(twilio)


@door
def test_each_day(query, held):
    daily = {as_date(row["day"]): row for row in query("select * from analytics.daily")}

    assert sorted(daily) == held.days
    for day, row in daily.items():
        assert_same(row, held.figures([day]), day)
        assert row["currency"] == "USD"


@door
def test_each_period(query, held):
    periods = {row["period"]: row for row in query("select * from analytics.periods")}

    today = held.days[-1]
    for name, start, end in (
        ("last 7 days", 7, 0),
        ("7 days before", 14, 7),
        ("last 30 days", 30, 0),
        ("30 days before", 60, 30),
    ):
        first, last = today - timedelta(days=start), today - timedelta(days=end + 1)
        row = periods.pop(name)
        assert (as_date(row["first_day"]), as_date(row["last_day"])) == (first, last)
        assert row["is_whole"] == (first > held.days[0])
        assert_same(row, held.figures(day for day in held.days if first <= day <= last), name)
    assert not periods


@door
def test_each_account(query, held, twilio):
    for account in twilio.accounts:
        for name, column in (("calls", "call_cost"), ("messages", "message_cost")):
            (row,) = query(
                f"select sum({name}) as rows, sum({column}) as cost "  # noqa: S608
                f"from analytics.{name}_daily where account_sid = '{account.sid}'"
            )
            own = [one for one in getattr(held, name) if one["account_sid"] == account.sid]
            assert_same(row, {"rows": len(own), "cost": -sum(one["price"] or 0 for one in own)})


@door
def test_errors_by_code(query, held):
    rows = query("select source, error_code, occurrences from analytics.errors_daily")

    found = Counter()
    for row in rows:
        found[row["source"], row["error_code"]] += row["occurrences"]
    assert found == held.errors()


@door
def test_numbers(query, held):
    rows = query(
        "select number, sum(calls) as calls, sum(messages) as messages, sum(cost) as cost "
        "from analytics.numbers_daily group by number"
    )

    want = held.numbers()
    assert {row["number"] for row in rows} == want.keys()
    for row in rows:
        assert_same(row, want[row["number"]], row["number"])
    (owned,) = query(
        "select count(*) as rows from analytics.numbers_daily where friendly_name is not null"
    )
    assert owned["rows"]


def as_date(value):
    return value if isinstance(value, date) else date.fromisoformat(value)


# --- Whatever was loaded -----------------------------------------------------------------------


@door
def test_nothing_loaded_is_told_and_breaks_nothing(tmp_path):
    warehouse = tmp_path / "warehouse.duckdb"

    said = dbt("jsonl", tmp_path, TWILIO_JSONL=str(tmp_path), TWILIO_DUCKDB=str(warehouse))

    assert "WARN 1 something_was_loaded" in said
    with in_duckdb(warehouse) as query:
        assert query("select * from analytics.daily") == []


@door
def test_columns_that_were_left_out_are_null_and_moments_with_a_zone_in_utc(tmp_path):
    warehouse = tmp_path / "warehouse.duckdb"
    with closing(duckdb.connect(str(warehouse))) as database:
        database.execute("create schema twilio")
        database.execute(
            "create table twilio.calls as select 'CA1' as sid, 'AC1' as account_sid, "
            "'completed' as status, timestamptz '2026-01-06 08:30:00+09:00' as date_created"
        )

    dbt("duckdb", tmp_path, TWILIO_DUCKDB=str(warehouse))

    with in_duckdb(warehouse) as query:
        (row,) = query("select * from analytics.daily")
    assert row["day"] == date(2026, 1, 5)
    assert (row["calls"], row["completion_rate"], row["unpriced_calls"]) == (1, 1, 1)
    assert row["abandon_rate"] is None
    assert row["total_cost"] is None


@door
def test_a_row_that_comes_twice_is_told(tmp_path):
    warehouse = tmp_path / "warehouse.duckdb"
    with closing(duckdb.connect(str(warehouse))) as database:
        database.execute("create schema twilio")
        database.execute(
            "create table twilio.calls as select 'CA1' as sid, 'AC1' as account_sid, "
            "timestamp '2026-01-05 00:00:00' as start_time from range(2)"
        )

    said = dbt("duckdb", tmp_path, succeeds=False, TWILIO_DUCKDB=str(warehouse))

    assert re.search(r"FAIL 1 unique_stg_calls_sid", said)


# --- What is written about it ------------------------------------------------------------------


def test_sources_are_the_taps_streams():
    (source,) = yaml.safe_load((PROJECT / "models" / "sources.yml").read_text())["sources"]
    for table in source["tables"]:
        stream = STREAMS_BY_NAME[table["name"]]
        assert table["config"]["meta"]["key"] == list(stream.primary_keys)
        path = ROOT / "schemas" / stream.product / f"{stream.name}.json"
        properties = json.loads(path.read_text())["properties"]
        for column in table["columns"]:
            schema = properties[column["name"]]
            kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
            (kind,) = set(kinds) - {"null"}
            if schema.get("format"):
                assert column["data_type"] == FORMATS[schema["format"]], column
            else:
                assert column["data_type"] in KINDS[kind], column


def test_every_model_says_what_it_is():
    described = {}
    for path in (PROJECT / "models").glob("*/*.yml"):
        for model in yaml.safe_load(path.read_text())["models"]:
            described[model["name"]] = model["description"]
    assert described.keys() == {path.stem for path in (PROJECT / "models").glob("*/*.sql")}
    assert all(described.values())


def test_the_demo_runs_what_meltano_runs():
    assert list(models.REQUIREMENTS[:2]) == plugin("utilities", "dbt-duckdb")["pip_url"].split()
