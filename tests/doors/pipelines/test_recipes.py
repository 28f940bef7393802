"""What the README and the docs tell people to type does what they say."""

from __future__ import annotations

import ast
import csv
import json
import os
import shutil
from contextlib import closing
from datetime import UTC, datetime, timedelta

import duckdb
import pytest
import yaml

from environments.postgres import PASSWORD, USER
from harness import STREAMS_BY_NAME
from tests.doors.pipelines import recipes
from tests.doors.pipelines.loaded import SELECTED, assert_loaded, held

door = pytest.mark.door


def day(ago):
    return (datetime.now(UTC).date() - timedelta(days=ago)).isoformat()


def told(results):
    """What a target has told of its rows, in their order."""
    return [json.loads(line) for line in results.read_text().splitlines()]


def outcomes(results):
    return [line["outcome"] for line in told(results)]


def chosen(extractor):
    """The streams that an extractor of the project selects."""
    definitions = yaml.safe_load((recipes.ROOT / "meltano.yml").read_text())["plugins"]
    (found,) = [entry for entry in definitions["extractors"] if entry["name"] == extractor]
    return {pattern.removesuffix(".*") for pattern in found["select"]}


@pytest.fixture
def twilio(sandbox):
    return sandbox(days=20, volumes={"calls": 150, "messages": 150})


@pytest.fixture
def bare(postgres):
    """A PostgreSQL server on which nobody has made anything yet."""
    postgres.drop()
    yield postgres
    postgres.drop()
    postgres.create()


@pytest.fixture
def cook(clone, bare, twilio, tmp_path):
    """Runs a recipe against the sandbox."""
    folder = clone.folder.parent
    for path in [*folder.iterdir(), clone.folder / "output"]:
        if path.is_symlink() or path.is_file():
            path.unlink()
        elif path != clone.folder:
            shutil.rmtree(path)
    (clone.folder / "output").mkdir()
    # All that is not as printed, besides what `recipes.cook` says.
    substitutions = {
        "ACxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx": twilio.accounts[0].sid,
        "ACyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy": twilio.accounts[1].sid,
        "TAP_TWILIO_ACCOUNT_SID=AC…": f"TAP_TWILIO_ACCOUNT_SID={twilio.account_sid}",
        "TAP_TWILIO_AUTH_TOKEN=…": f"TAP_TWILIO_AUTH_TOKEN={twilio.auth_token}",
        "your auth token": twilio.auth_token,
        "2026-01-01": day(60),
        "2026-02-01": day(7),
        "2026-03-01": day(0),
        "TARGET_TWILIO_ACCOUNT_SID=AC…": f"TARGET_TWILIO_ACCOUNT_SID={twilio.account_sid}",
        "TARGET_TWILIO_AUTH_TOKEN=…": f"TARGET_TWILIO_AUTH_TOKEN={twilio.auth_token}",
        "MGxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx": next(iter(twilio.services)),
        "HXxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx": twilio.truth("content", "/v2/Content")[0]["sid"],
    }
    environment = {
        **clone.environment,
        # The one variable by which every command reads the sandbox, and that for writing to it.
        "TAP_TWILIO_BASE_URL": twilio.base_url,
        "TARGET_TWILIO_BASE_URL": twilio.base_url,
        # PostgreSQL's administrator, with its programs.
        **bare.settings,
        "PATH": f"{bare.binaries}{os.pathsep}{clone.environment['PATH']}",
        "PGUSER": USER,
        "PGPASSWORD": PASSWORD,
        "TARGET_POSTGRES_PORT": str(bare.port),
        "TAP_POSTGRES_PORT": str(bare.port),
        "MELTANO_DATABASE_URI": clone.database(tmp_path),
    }

    def run(name):
        run.said = recipes.cook(name, folder, substitutions, environment)
        return folder

    return run


def test_each_block_belongs_to_a_recipe_that_is_tested_or_says_why_not():
    tested = {name.removeprefix("test_").replace("_", "-") for name in globals()} | {"database"}
    needed = {block.after for block in recipes.blocks()}
    assert set(recipes.names()) - needed <= tested


def assert_calls_in_csv(folder, twilio):
    files = sorted((folder / "output").glob("calls-*.csv"))
    assert len(files) == 2
    found = {}
    for file in files:
        with file.open(newline="") as lines:
            found |= {row["sid"]: row for row in csv.DictReader(lines)}
    assert {sid: row["status"] for sid, row in found.items()} == {
        row["sid"]: row["status"] for row in held(twilio, "calls")
    }


@door
def test_readme_meltano(cook, clone, twilio):
    folder = cook("readme-meltano")

    assert_calls_in_csv(folder, twilio)
    lines = (clone.folder / "output" / "calls.jsonl").read_text().splitlines()
    assert len(lines) == len(held(twilio, "calls"))


@door
def test_catalog(cook, twilio):
    folder = cook("catalog")

    lines = map(json.loads, (folder / "messages.jsonl").read_text().splitlines())
    read = [
        line["record"]["sid"]
        for line in lines
        if line.get("stream") == "calls" and "record" in line
    ]
    assert sorted(read) == sorted(row["sid"] for row in held(twilio, "calls"))
    assert "It takes about" in cook.said


@door
def test_lines(cook, twilio):
    folder = cook("lines")

    lines = map(json.loads, (folder / "lines" / "calls.jsonl").read_text().splitlines())
    assert {row["sid"] for row in lines} == {row["sid"] for row in held(twilio, "calls")}


@door
def test_warehouse(cook, twilio):
    folder = cook("warehouse")

    with closing(duckdb.connect(str(folder / "warehouse.duckdb"), read_only=True)) as database:
        found = database.execute("SELECT sid FROM twilio.calls").fetchall()
    assert sorted(found) == sorted((row["sid"],) for row in held(twilio, "calls"))


@door
def test_csv(cook, twilio):
    folder = cook("csv")

    assert_calls_in_csv(folder, twilio)
    (numbers, _) = sorted((folder / "output").glob("incoming_phone_numbers-*.csv"))
    assert "capabilities__sms" in numbers.read_text().splitlines()[0]


@door
def test_postgres(cook, postgres, twilio):
    cook("database")
    cook("postgres")

    (owner,) = postgres.query(
        "SELECT rolname, rolsuper FROM pg_roles JOIN pg_database ON datdba = pg_roles.oid "
        "WHERE datname = 'twilio'"
    )
    assert owner == {"rolname": "twilio", "rolsuper": False}

    assert_in_postgres(postgres, twilio)


def assert_in_postgres(postgres, twilio):
    for name in ("calls", "messages", "accounts", "incoming_phone_numbers"):
        rows = postgres.query(f"SELECT * FROM twilio.{name}")  # noqa: S608
        assert_loaded(name, rows, twilio)


@door
def test_postgres_batches(cook, postgres, twilio):
    cook("database")

    folder = cook("postgres-batches")

    assert_in_postgres(postgres, twilio)
    assert not (folder / "batches").exists()


@door
def test_jsonl(cook, clone, twilio):
    cook("jsonl")

    lines = (clone.folder / "output" / "calls.jsonl").read_text().splitlines()
    assert len(lines) == len(held(twilio, "calls"))


@door
def test_models(cook, clone, twilio):
    cook("models")

    warehouse = clone.folder / "output" / "warehouse.duckdb"
    with closing(duckdb.connect(str(warehouse), read_only=True)) as database:
        query = "select sum(calls), sum(messages) from analytics.daily"
        assert database.execute(query).fetchall() == [
            (len(held(twilio, "calls")), len(held(twilio, "messages")))
        ]


@door
def test_duckdb(cook, clone, twilio):
    cook("duckdb")

    preset = chosen("tap-twilio--usage")
    with closing(duckdb.connect(clone.folder / "output" / "warehouse.duckdb")) as warehouse:
        tables = warehouse.execute("SELECT table_name FROM information_schema.tables").fetchall()
        (rows,) = warehouse.execute("SELECT count(*) FROM twilio.usage_records_daily").fetchone()
    assert {table for (table,) in tables} == preset
    assert rows == len(held(twilio, "usage_records_daily"))


@door
def test_plugin(cook, clone):
    folder = cook("plugin")

    project = yaml.safe_load((folder / "warehouse" / "meltano.yml").read_text())
    (added,) = project["plugins"]["extractors"]
    definition = yaml.safe_load((clone.folder / "plugin.yml").read_text())
    assert added["settings"] == definition["settings"]
    assert added["capabilities"] == definition["capabilities"]
    (tap,) = (folder / "warehouse").glob(".meltano/extractors/tap-twilio/venv/bin/tap-twilio")
    assert tap.exists()


@door
def test_backfill_by_account(cook, postgres, twilio):
    cook("database")
    cook("backfill-by-account")

    for name in SELECTED:
        rows = postgres.query(f"SELECT * FROM twilio.{name}")  # noqa: S608
        assert_loaded(name, rows, twilio)


@door
def test_backfill_by_date(cook, postgres, twilio):
    cook("database")
    cook("backfill-by-date")

    for name in ("calls", "messages"):
        key = STREAMS_BY_NAME[name].replication_key
        rows = postgres.query(f"SELECT * FROM twilio.{name}")  # noqa: S608
        loaded = {row["sid"] for row in rows}

        # No range with an end has rows without a date. The first load, of a row a stream, may.
        def wanted(row, key=key, loaded=loaded):
            return row[key] or row["date_created"] >= day(0) or row["sid"] in loaded

        assert_loaded(name, rows, twilio, wanted=wanted)


@door
def test_sending(cook, twilio):
    folder = cook("sending")

    results = folder / "results.jsonl"
    assert outcomes(results) == ["would_send"] * 2 + ["sent"] * 2 + ["duplicate"] * 2
    assert [one["parameters"]["Body"] for one in twilio.held] == [
        "Hello Ann, our spring sale has begun.",
        "Hello Bo, our spring sale has begun.",
    ]


@door
def test_delivered(cook):
    cook("delivered")

    joined = ast.literal_eval(cook.said.splitlines()[-1])
    assert [name for name, *_ in joined] == ["Ann", "Bo"]
    assert {status for _, status, *_ in joined} <= {"queued", "sending", "sent", "delivered"}


@door
def test_reminders(cook, twilio):
    folder = cook("reminders")

    assert outcomes(folder / "reminders" / "results.jsonl") == [
        *["would_send"] * 2,
        *["scheduled"] * 2,
        *["duplicate"] * 2,
    ]
    assert [one["status"] for one in twilio.held] == ["scheduled"] * 2
    due = {one["parameters"]["SendAt"][:10] for one in twilio.held}
    assert due == {day(-2), day(-4)}


@door
def test_whatsapp(cook, twilio):
    folder = cook("whatsapp")

    assert outcomes(folder / "results.jsonl")[-4:] == ["would_send"] * 2 + ["sent"] * 2
    last = [one["parameters"] for one in twilio.held[-2:]]
    assert [one["To"].partition(":")[0] for one in last] == ["whatsapp"] * 2
    assert [json.loads(one["ContentVariables"])["1"] for one in last] == ["Ann", "Bo"]


@door
def test_forget(cook, clone, twilio):
    number = "+15551230001"
    messages = twilio.truth("api", "/2010-04-01/Accounts/{AccountSid}/Messages.json")
    sids = set()
    for status, side in (("delivered", "to"), ("received", "from")):
        for row in [one for one in messages if one["status"] == status][:2]:
            twilio.patch(row["sid"], **{side: number})
            sids.add(row["sid"])

    cook("forget")

    found = [
        (line["outcome"], line["key"]["sid"])
        for line in told(clone.folder / "output" / "results.jsonl")
    ]
    assert len(found) == 3 * len(sids)
    assert set(found) == {
        (outcome, sid) for outcome in ("would_redact", "redacted", "deleted") for sid in sids
    }
    left = twilio.truth("api", "/2010-04-01/Accounts/{AccountSid}/Messages.json")
    assert {one["sid"] for one in left} == {one["sid"] for one in messages} - sids
