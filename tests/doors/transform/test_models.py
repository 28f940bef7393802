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
from environments.postgres import DATABASE, PASSWORD, USER, Postgres
from harness import STREAMS_BY_NAME, truth, utc_now
from sandbox import Sandbox
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
    "boolean": {"boolean"},
    "object": {"varchar"},
    "integer": {"bigint"},
    "number": {"numeric(18, 6)", "numeric(28, 6)"},
}
FORMATS = {"date": "date", "date-time": "timestamp"}


# What the package's models of its sources read, but for the time of Fivetran's own run.
FIVETRAN = {
    "account_history": "id owner_account_id friendly_name status type created_at updated_at",
    "address": (
        "id account_id city customer_name emergency_enabled friendly_name iso_country postal_code "
        "region street validated verified created_at updated_at"
    ),
    "call": (
        "id account_id annotation answered_by caller_name direction duration start_time end_time "
        "forwarded_from from from_formatted group_id outgoing_caller_id parent_call_id price "
        "price_unit queue_time status to to_formatted trunk_id created_at updated_at"
    ),
    "incoming_phone_number": (
        "id account_id address_id address_requirements beta capabilities_mms capabilities_sms "
        "capabilities_voice emergency_address_id emergency_status friendly_name origin "
        "phone_number trunk_id voice_caller_id_lookup voice_url created_at updated_at"
    ),
    "message": (
        "id account_id body date_sent direction error_code error_message from "
        "messaging_service_sid num_media num_segments price price_unit status to created_at "
        "updated_at"
    ),
    "messaging_service": (
        "id account_id area_code_geomatch fallback_method fallback_to_long_code fallback_url "
        "friendly_name inbound_method inbound_request_url mms_converter scan_message_content "
        "smart_encoding status_callback sticky_sender synchronous_validation "
        "us_app_to_person_registered use_inbound_webhook_on_number usecase validity_period "
        "created_at updated_at"
    ),
    "outgoing_caller_id": "id friendly_name phone_number created_at updated_at",
    "usage_record": (
        "account_id as_of category count count_unit description start_date end_date price "
        "price_unit usage usage_unit"
    ),
}
ODD = """
create schema twilio;
create table twilio.calls as
    select 'CA1' as sid, 'AC1' as account_sid, 'completed' as status,
        timestamptz '2026-01-06 08:30:00+09:00' as date_created
    union all select 'CA2', null, 'queued', null;
create table twilio.messages as
    select 'SM' || n as sid, 'AC1' as account_sid, 'read' as status, 'USD' as price_unit,
        timestamp '2026-01-20' - day * interval '1 day' as date_sent,
        case when day in (5, 8) then null else -0.0075 end as price
    from (values (1, 0), (2, 4), (3, 5), (4, 6), (5, 8)) as made (n, day);
create table twilio.usage_records_daily as
    select 'AC1' as account_sid, 'totalprice' as category, date '2026-01-05' as start_date,
        date '2026-01-05' as end_date, cast(null as double) as price;
create table twilio.incoming_phone_numbers as
    select 'PN1' as sid, cast(null as varchar) as phone_number;
create table twilio.bulkexports_messages as
    select * from (values
        ('SM1', date '2026-01-20', 'delivered', null),
        ('SM8', date '2024-05-01', 'sent', 0.0),
        ('SM8', date '2024-05-02', 'delivered', -0.0075),
        ('SM9', date '2024-05-02', 'delivered', -0.0075)
    ) as made (sid, day, status, price);
create table twilio.bulkexports_calls as
    select sid, day, 'USD' as price_unit from (values
        ('CA1', date '2026-01-05'),
        ('CA9', date '2024-05-01')
    ) as made (sid, day);
"""


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
    dbt("jsonl", folder, "fivetran", TWILIO_JSONL=str(rows), TWILIO_DUCKDB=str(warehouse))
    with in_duckdb(warehouse) as query:
        yield query


@contextmanager
def duck(twilio, folder):
    warehouse = folder / "warehouse.duckdb"
    config = {"path": str(warehouse), "default_target_schema": "twilio"}
    load_twice(twilio, "target-duckdb", config, folder)
    dbt("duckdb", folder, "fivetran", TWILIO_DUCKDB=str(warehouse))
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
            "fivetran",
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
        assert row["is_priced"] == (day < held.days[-1] - timedelta(days=3))


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
def test_accounts_add_up_to_all(query):
    columns = ("calls", "messages", "total_cost", "completed_calls", "delivered_messages")
    sums = ", ".join(f"sum({column}) as {column}" for column in columns)
    for all_of_them, each, key in (
        ("daily", "accounts_daily", "day"),
        ("periods", "accounts_periods", "period"),
    ):
        wanted, found = (
            {
                row.pop("key"): row
                for row in query(f"select {key} as key, {sums} from analytics.{table} group by 1")  # noqa: S608
            }
            for table in (all_of_them, each)
        )
        assert found == wanted
    (counted,) = query(
        "select count(distinct account_sid) as accounts from analytics.accounts_daily"
    )
    assert counted["accounts"] == 2


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


@door
def test_tables_have_the_columns_that_fivetrans_package_reads(query, held):
    found = {}
    for row in query(
        "select table_name, column_name from information_schema.columns "
        "where table_schema = 'analytics_fivetran'"
    ):
        found.setdefault(row["table_name"], set()).add(row["column_name"])
    assert found == {
        table: {"_fivetran_synced", *columns.split()} for table, columns in FIVETRAN.items()
    }

    for table, rows in (("call", held.calls), ("message", held.messages)):
        there = query(f"select id, price, created_at from analytics_fivetran.{table}")  # noqa: S608
        assert {row["id"] for row in there} == {row["sid"] for row in rows}
        prices = {row["sid"]: row["price"] for row in rows}
        for row in there:
            assert (row["price"] is None) == (prices[row["id"]] is None)
    (numbers,) = query(
        "select count(*) as rows, count(capabilities_sms) as told, count(created_at) as dated "
        "from analytics_fivetran.incoming_phone_number"
    )
    assert numbers["rows"] == numbers["told"] == numbers["dated"] > 0


@door
def test_all_rows_are_of_the_stream_where_there_is_no_archive(query, held):
    for name in ("calls", "messages"):
        rows = query(f"select sid, source from analytics.{name}_all")  # noqa: S608
        assert sorted(row["sid"] for row in rows) == sorted(
            row["sid"] for row in getattr(held, name)
        )
        assert {row["source"] for row in rows} == {"rest"}


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


@pytest.fixture(scope="module")
def odd(tmp_path_factory):
    """A warehouse made by hand, of few columns, and what dbt says of it."""
    folder = tmp_path_factory.mktemp("odd")
    warehouse = folder / "warehouse.duckdb"
    with closing(duckdb.connect(str(warehouse))) as database:
        database.execute(ODD)
    said = dbt("duckdb", folder, TWILIO_DUCKDB=str(warehouse))
    with in_duckdb(warehouse) as query:
        yield said, query


@door
def test_columns_that_were_left_out_are_null_and_moments_with_a_zone_in_utc(odd):
    _, query = odd

    (row,) = query("select * from analytics.daily where calls > 0")
    assert row["day"] == date(2026, 1, 5)
    assert (row["calls"], row["completion_rate"], row["unpriced_calls"]) == (1, 1, 1)
    assert row["abandon_rate"] is None
    assert row["total_cost"] is None


@door
def test_what_twilio_leaves_null_is_told_and_ends_nothing(odd):
    said, query = odd

    for name in (
        "not_null_calls_day",
        "not_null_stg_calls_account_sid",
        "not_null_costs_daily_total_cost",
        "not_null_stg_incoming_phone_numbers_phone_number",
    ):
        assert f"WARN 1 {name}" in said
    assert query("select sid from analytics.calls where day is null") == [{"sid": "CA2"}]


@door
def test_days_are_unpriced_while_rows_lack_prices(odd):
    _, query = odd

    rows = query("select day from analytics.daily where not is_priced order by day desc")

    # The newest and the 3 before, one of the week's that lacks a price; not one that is older.
    assert [row["day"].day for row in rows] == [20, 19, 18, 17, 15]


@door
def test_rows_of_the_archive_are_added_where_the_stream_has_none(odd):
    _, query = odd

    messages = {row.pop("sid"): row for row in query("select * from analytics.messages_all")}
    assert {sid: row["source"] for sid, row in messages.items()} == {
        **dict.fromkeys(["SM1", "SM2", "SM3", "SM4", "SM5"], "rest"),
        **dict.fromkeys(["SM8", "SM9"], "archive"),
    }
    # In both: the stream's row. In two files: the newer one's. `price_unit` is in no file.
    assert (messages["SM1"]["status"], messages["SM1"]["price_unit"]) == ("read", "USD")
    assert (messages["SM8"]["status"], messages["SM8"]["price_unit"]) == ("delivered", None)
    assert messages["SM9"]["error_code"] is None
    assert "day" not in messages["SM9"]
    calls = query("select sid, source, price_unit from analytics.calls_all order by sid")
    assert [(row["sid"], row["source"], row["price_unit"]) for row in calls] == [
        ("CA1", "rest", None),
        ("CA2", "rest", None),
        ("CA9", "archive", "USD"),
    ]
    # The figures are those of the streams alone.
    (counted,) = query("select sum(messages) as messages, sum(calls) as calls from analytics.daily")
    assert counted == {"messages": 5, "calls": 1}


@door
def test_fivetrans_tables_are_not_made_unless_asked_for(odd):
    _, query = odd

    assert (
        query(
            "select table_name from information_schema.tables where table_schema like '%fivetran%'"
        )
        == []
    )


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
        key = table["config"]["meta"]["key"]
        stream = STREAMS_BY_NAME[table["name"]]
        assert key == list(stream.primary_keys)
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
