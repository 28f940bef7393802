"""Meltano into a real PostgreSQL: all rows, once each, in their latest form."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from environments.postgres import PACKAGE as POSTGRES
from harness import STREAMS_BY_NAME
from sandbox import faults
from tests.doors.pipelines.conftest import connection, credentials
from tests.doors.pipelines.loaded import SELECTED, assert_loaded, held, properties
from tests.doors.pipelines.project import PACKAGE as MELTANO

pytestmark = [
    pytest.mark.door,
    pytest.mark.environment("meltano", MELTANO),
    pytest.mark.environment("postgres", POSTGRES),
]

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


NEW = {
    "mood": ("fine", "text"),
    "score": (4.25, "numeric"),
    "rank": (3, "numeric"),
    "is_odd": (False, "boolean"),
    "parts": ({"a": [1]}, "jsonb"),
    "tags": (["x"], "jsonb"),
}


def test_fields_that_twilio_adds_become_columns(project, postgres, sandbox):
    twilio = sandbox(days=20, volumes={"calls": 40, "messages": 0}, subaccounts=0)
    sids = [row["sid"] for row in held(twilio, "calls") if row["start_time"]]
    odd, *others = sids
    environment = credentials(twilio) | connection(postgres)
    project.meltano("run", "tap-twilio", "target-postgres", **environment)
    assert not NEW.keys() & columns(postgres, "calls").keys()
    twilio.patch(odd, **{name: value for name, (value, _) in NEW.items()})
    twilio.patch(others[0], mood={"b": 2}, score=None, rank=0.5, is_odd=True)
    twilio.plan(
        faults.rewrite(
            lambda page: (
                page
                | {
                    "calls": [
                        row | {"sid": None} if row["sid"] == others[1] else row
                        for row in page.get("calls", [])
                    ]
                }
            )
        ),
        "/Calls.json",
    )

    project.meltano("run", "--full-refresh", "tap-twilio", "target-postgres", **environment)

    found = columns(postgres, "calls")
    assert {name: found[name] for name in NEW} == {name: kind for name, (_, kind) in NEW.items()}
    rows = {row["sid"]: row for row in postgres.query("SELECT * FROM twilio.calls")}
    assert rows.keys() == {row["sid"] for row in held(twilio, "calls")}
    assert rows[others[1]]["status"]  # of the first run
    assert {name: rows[odd][name] for name in NEW} == {
        name: value for name, (value, _) in NEW.items()
    }
    assert rows[others[0]]["mood"] == '{"b":2}'
    assert (rows[others[0]]["rank"], rows[others[0]]["is_odd"]) == (0.5, True)
    assert rows[others[2]]["mood"] is None
