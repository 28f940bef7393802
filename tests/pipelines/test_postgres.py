"""Meltano into a real PostgreSQL: all rows, once each, in their latest form."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.harness import STREAMS_BY_NAME
from tests.pipelines.conftest import connection, credentials
from tests.pipelines.loaded import SELECTED, assert_loaded, held, properties

TYPES = {
    "array": "jsonb",
    "boolean": "boolean",
    "integer": "bigint",
    "number": "numeric",
    "object": "jsonb",
    "string": "text",
}
CHANGES = {
    "calls": {"status": "busy"},
    "messages": {"status": "undelivered", "error_code": 30003},
}
FORMATS = {"date": "date", "date-time": "timestamp without time zone"}


def assert_all_loaded(postgres, twilio):
    for name in SELECTED:
        assert_loaded(name, postgres.query(f"SELECT * FROM twilio.{name}"), twilio)  # noqa: S608


def columns(postgres, table):
    rows = postgres.query(
        "SELECT column_name, data_type FROM information_schema.columns "  # noqa: S608
        f"WHERE table_schema = 'twilio' AND table_name = '{table}'"
    )
    return {row["column_name"]: row["data_type"] for row in rows}


def keys(postgres, table):
    rows = postgres.query(
        "SELECT column_name FROM information_schema.key_column_usage "  # noqa: S608
        f"WHERE table_schema = 'twilio' AND table_name = '{table}'"
    )
    return {row["column_name"] for row in rows}


def test_two_runs_hold_what_twilio_holds(project, postgres, sandbox):
    yesterday = (datetime.now(UTC) - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    twilio = sandbox(now=yesterday, days=20, volumes={"calls": 300, "messages": 300})
    environment = credentials(twilio) | connection(postgres)

    project.meltano("run", "tap-twilio", "target-postgres", **environment)

    assert_all_loaded(postgres, twilio)
    for name in SELECTED:
        assert keys(postgres, name) == set(STREAMS_BY_NAME[name].primary_keys)
        found = columns(postgres, name)
        for column, schema in properties(name).items():
            given = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
            kinds = {TYPES[kind] for kind in given if kind != "null"}
            assert found[column] in ({FORMATS[schema["format"]]} if "format" in schema else kinds)

    held_before = {name: held(twilio, name) for name in CHANGES}
    newest = {
        name: max(rows, key=lambda row: row["date_created"])["sid"]
        for name, rows in held_before.items()
    }
    (first,) = postgres.query("SELECT max(_sdc_extracted_at) AS moment FROM twilio.calls")
    twilio.advance(timedelta(hours=12))
    for name, sid in newest.items():
        twilio.patch(sid, **CHANGES[name])

    # The same pipeline by its schedule's name, so with the first run's state.
    project.meltano("--environment=prod", "schedule", "run", "twilio-daily", **environment)

    assert_all_loaded(postgres, twilio)
    for name, sid in newest.items():
        (row,) = postgres.query(f"SELECT status FROM twilio.{name} WHERE sid = '{sid}'")  # noqa: S608
        assert row["status"] == CHANGES[name]["status"]
        assert len(held(twilio, name)) > len(held_before[name])
    (kept,) = postgres.query(
        "SELECT count(*) AS rows FROM twilio.calls "  # noqa: S608
        f"WHERE _sdc_extracted_at <= '{first['moment']}'"
    )
    assert kept["rows"] > 100  # those beyond the look-back were not read again
