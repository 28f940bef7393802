"""Files in between into a real PostgreSQL: the rows are those of the plain pipe, types and all."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from environments import ROOT, install
from environments.doors import TARGET_POSTGRES
from environments.postgres import DATABASE, PASSWORD, USER
from environments.postgres import PACKAGE as POSTGRES
from harness import catalog_of, config_for, wait_until
from tests.doors.pipelines.loaded import LEFT_OUT, assert_loaded

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.door,
    pytest.mark.environment(*TARGET_POSTGRES),
    pytest.mark.environment("postgres", POSTGRES),
]

SELECTED = ("accounts", "calls", "incoming_phone_numbers", "messages", "recordings")

OF_THE_TARGET = {
    "_sdc_batched_at",
    "_sdc_deleted_at",
    "_sdc_received_at",
    "_sdc_sequence",
    "_sdc_sync_started_at",
}
"""What only the target can tell: its own moments, and what it found gone."""


@pytest.fixture
def load(tmp_path, postgres):
    """Loads a sandbox into a schema of the server, as a pipe of a shell does."""
    program = install(*TARGET_POSTGRES) / "target-postgres"
    url = f"postgresql+psycopg://{USER}:{PASSWORD}@127.0.0.1:{postgres.port}/{DATABASE}"
    catalog = tmp_path / "catalog.json"
    catalog.write_text(json.dumps(catalog_of(SELECTED)))

    def go(schema, config, *, kill_at=None, **options):
        folder: Path = tmp_path / schema
        folder.mkdir(exist_ok=True)
        target = {"sqlalchemy_url": f"{url}?options=-ctimezone%3DUTC"}
        target |= {"default_target_schema": schema, **options}
        (folder / "target.json").write_text(json.dumps(target))
        (folder / "config.json").write_text(json.dumps(config))
        states = folder / "states.jsonl"
        last = states.read_text().splitlines()[-1:] if states.exists() else []
        (folder / "state.json").write_text(last[0] if last else "{}")
        command = [sys.executable, "-m", "tap_twilio", "--config", str(folder / "config.json")]
        command += ["--catalog", str(catalog), "--state", str(folder / "state.json")]
        log = (folder / "log").open("wb")
        with states.open("ab") as out:
            tap = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=log)
            loader = subprocess.Popen(
                [program, "--config", str(folder / "target.json")],
                env=os.environ | {"TZ": "UTC"},
                stdin=tap.stdout,
                stdout=out,
                stderr=log,
            )
            tap.stdout.close()
            if kill_at is not None:
                wait_until(kill_at, "files")
                tap.send_signal(signal.SIGKILL)
            codes = tap.wait(), loader.wait()
        assert codes == (0 if kill_at is None else -signal.SIGKILL, 0), (folder / "log").read_text()

    return go


def columns(postgres, schema):
    rows = postgres.query(
        "SELECT table_name, column_name, data_type FROM information_schema.columns "  # noqa: S608
        f"WHERE table_schema = '{schema}'"
    )
    return {(row["table_name"], row["column_name"]): row["data_type"] for row in rows}


def rows(postgres, schema, name):
    found = postgres.query(f"SELECT * FROM {schema}.{name}")  # noqa: S608
    left_out = OF_THE_TARGET | LEFT_OUT | {"_sdc_extracted_at", "_sdc_table_version"}
    return sorted(
        json.dumps({k: v for k, v in row.items() if k not in left_out}, sort_keys=True)
        for row in found
    )


def test_rows_and_types_are_those_of_the_plain_pipe_after_a_kill_too(
    postgres, sandbox, load, tmp_path
):
    for schema in ("said", "filed"):
        postgres.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
    twilio = sandbox(days=20, volumes={"calls": 300, "messages": 100}, frozen=True)
    plain = config_for(twilio, emit_activate_version_messages=True)
    batches = tmp_path / "batches"
    filed = plain | {
        "batch_config": {
            "encoding": {"format": "jsonl", "compression": "gzip"},
            "storage": {"root": str(batches)},
            "batch_size": 25,
        }
    }

    load("said", plain)
    load("filed", filed, kill_at=lambda: len(list(batches.glob("*.gz"))) > 4)
    load("filed", filed)

    for _ in range(2):
        assert columns(postgres, "filed") == columns(postgres, "said")
        for name in SELECTED:
            assert rows(postgres, "filed", name) == rows(postgres, "said", name)
            assert_loaded(name, postgres.query(f"SELECT * FROM filed.{name}"), twilio)  # noqa: S608
            own = postgres.query(
                "SELECT count(*) AS all, count(_sdc_extracted_at) AS dated, "  # noqa: S608
                f"count(_sdc_deleted_at) AS gone FROM filed.{name}"
            )
            assert own[0]["all"] == own[0]["dated"]
            # A run's ACTIVATE_VERSION, which rows without a version would not outlive.
            assert own[0]["gone"] == 0
        twilio.advance(timedelta(hours=12))
        load("said", plain)
        load("filed", filed, use_copy=True)
