"""Meltano into a DuckDB file: no row lost, which this target is known for without its pin."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import UTC, date, datetime, timedelta

import duckdb
import pytest

from tests.doors.pipelines.conftest import credentials
from tests.doors.pipelines.loaded import SELECTED, assert_loaded, properties
from tests.doors.pipelines.project import PACKAGE

pytestmark = [pytest.mark.door, pytest.mark.environment("meltano", PACKAGE)]


def rows(warehouse, name):
    nested = {
        column
        for column, schema in properties(name).items()
        if {"array", "object"} & set(schema["type"])
    }
    with closing(duckdb.connect(warehouse, read_only=True)) as database:
        result = database.execute(f"SELECT * FROM twilio.{name}")  # noqa: S608
        names = [column[0] for column in result.description]
        for values in result.fetchall():
            yield {
                column: plain(json.loads(value) if column in nested and value else value)
                for column, value in zip(names, values, strict=True)
            }


def plain(value):
    return value.isoformat() if isinstance(value, (date, datetime)) else value


def test_two_runs_hold_what_twilio_holds(project, sandbox):
    yesterday = (datetime.now(UTC) - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    twilio = sandbox(now=yesterday, days=20, volumes={"calls": 300, "messages": 300})
    warehouse = project.environment["TARGET_DUCKDB_PATH"]

    for _ in range(2):
        project.meltano("run", "tap-twilio", "target-duckdb", **credentials(twilio))

        for name in SELECTED:
            assert_loaded(name, rows(warehouse, name), twilio, empty=None)
        twilio.advance(timedelta(hours=12))
