"""A backfill cut into runs that go on at once: their union is exactly the whole."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from tests.harness import STREAMS_BY_NAME
from tests.pipelines.conftest import connection, credentials
from tests.pipelines.loaded import DATED, SELECTED, assert_loaded
from tests.pipelines.project import ended

pytestmark = pytest.mark.xdist_group("pipelines")

EL = ("el", "tap-twilio", "target-postgres")


def make_tables(project, environment, **more):
    """Two first loads at once would both make the tables, and one of them would fail."""
    project.meltano(*EL, "--state-id=tables", TAP_TWILIO_MAX_RECORDS="1", **environment, **more)


def test_by_account(project, postgres, sandbox):
    twilio = sandbox(days=20, subaccounts=2, volumes={"calls": 150, "messages": 150})
    environment = credentials(twilio) | connection(postgres)
    make_tables(project, environment)

    shards = [
        project.start(
            *EL,
            f"--state-id=account-{account.sid}",
            TAP_TWILIO_ACCOUNTS=json.dumps([account.sid]),
            **environment,
        )
        for account in twilio.accounts
    ]
    for shard in shards:
        ended(shard)

    for name in SELECTED:
        assert_loaded(name, postgres.query(f"SELECT * FROM twilio.{name}"), twilio)  # noqa: S608


def test_by_date_range(project, postgres, sandbox):
    twilio = sandbox(days=20, volumes={"calls": 300, "messages": 300})
    environment = credentials(twilio) | connection(postgres)
    selected = [f"--select={name}.*" for name in DATED]
    today = datetime.now(UTC).date()
    days = [(today - timedelta(days=days)).isoformat() for days in (60, 14, 7, 0)]
    make_tables(project, environment, TAP_TWILIO_START_DATE=days[-1])

    shards = [
        project.start(
            *EL,
            *selected,
            f"--state-id=backfill-{start}",
            TAP_TWILIO_START_DATE=start,
            TAP_TWILIO_END_DATE=end,
            **environment,
        )
        for start, end in pairwise(days)
    ]
    for shard in shards:
        ended(shard)
    # From there on, and for what has no dates, the pipeline of every day.
    project.meltano(
        "run", "tap-twilio", "target-postgres", TAP_TWILIO_START_DATE=days[-1], **environment
    )

    for name in SELECTED:
        key = STREAMS_BY_NAME[name].replication_key or ""

        # A row that never got its date is in no closed range, only in those without an end.
        def in_range(row, key=key):
            return key not in row or row[key] is not None or row["date_created"] >= days[-1]

        rows = postgres.query(f"SELECT * FROM twilio.{name}")  # noqa: S608
        assert_loaded(name, rows, twilio, wanted=in_range)
