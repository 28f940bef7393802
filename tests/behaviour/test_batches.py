"""Records in files, and messages that name them: the same rows as without, and none lost."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from collections import Counter, defaultdict
from datetime import UTC, datetime
from gzip import decompress
from pathlib import Path

import pytest
from fsspec.implementations.local import LocalFileSystem
from fsspec.implementations.memory import MemoryFileSystem
from singer_sdk.helpers._batch import StorageTarget

from harness import PATIENCE, STREAMS_BY_NAME, catalog_of, config_for, truth, wait_until
from sandbox import faults
from tap_twilio.config.batches import Batches
from tap_twilio.output import files
from tap_twilio.output.files import Files
from tap_twilio.output.lines import encoded

STREAMS = ["accounts", "applications", "calls", "message_media", "messages", "recordings"]
OWN = {"_sdc_extracted_at", "_sdc_table_version"}


def batches(root, rows=10_000, compression="gzip", **storage):
    encoding = {"format": "jsonl", "compression": compression}
    storage["root"] = str(root)
    return {"batch_config": {"encoding": encoding, "storage": storage, "batch_size": rows}}


def rows_of(message):
    """The records of a batch, read as the SDK's targets do."""
    assert message["encoding"]["format"] == "jsonl"
    (path,) = message["manifest"]
    head, tail = StorageTarget.split_url(path)
    with StorageTarget.from_url(head).open(tail, mode="rb") as file:
        content = file.read()
    if message["encoding"]["compression"] == "gzip":
        content = decompress(content)
    return [json.loads(line) for line in content.splitlines()]


def by_stream(messages):
    """The records of all batches: what RECORD messages would have, and what targets call it."""
    found = defaultdict(list)
    for message in messages:
        if message["type"] == "BATCH":
            found[message["stream"]] += rows_of(message)
    return found


def plain(record):
    return {name: value for name, value in record.items() if name not in OWN}


def assert_in_order(messages):
    """A stream's SCHEMA knows the fields of its files; nothing comes after its ACTIVATE_VERSION."""
    known, ended, covered = {}, set(), set()
    for message in messages:
        if message["type"] == "SCHEMA":
            known[message["stream"]] = message["schema"]["properties"].keys() | OWN
        elif message["type"] == "BATCH":
            assert message["stream"] not in ended
            for row in rows_of(message):
                assert row.keys() <= known[message["stream"]]
                covered.add(row["sid"])
        elif message["type"] == "ACTIVATE_VERSION":
            ended.add(message["stream"])
        elif message["type"] == "STATE":
            yield message["value"], frozenset(covered)
        else:
            pytest.fail(f"a message of type {message['type']}")


def assert_covered(messages, twilio):
    """Each STATE comes after the files of all calls that it covers; give how many did."""
    calls = truth(twilio, STREAMS_BY_NAME["calls"])
    moved = set()
    for state, covered in assert_in_order(messages):
        for partition in state.get("bookmarks", {}).get("calls", {}).get("partitions", []):
            account = partition["context"]["account_sid"]
            if reached := partition.get("replication_key_value"):
                moved.add((account, reached))
                assert covered >= {
                    row["sid"]
                    for row in calls
                    if row["account_sid"] == account and (row["start_time"] or "9") < reached
                }
    return len(moved)


# --- The same rows -------------------------------------------------------------------------------


@pytest.mark.parametrize("compression", ["gzip", "none"])
def test_files_hold_what_messages_would(run, sandbox, tmp_path, compression):
    # A name that would be another one in a URL.
    root = tmp_path / "my files %20 #1"
    twilio = sandbox(volumes={"calls": 300, "messages": 60}, subaccounts=1, frozen=True)
    for row in truth(twilio, STREAMS_BY_NAME["calls"])[::30]:
        twilio.patch(row["sid"], mood="fine")
    config = config_for(twilio, emit_activate_version_messages=True, page_size=50)

    said = run(config, streams=STREAMS)
    output = run(config | batches(root, 7, compression, prefix="a/b-"), streams=STREAMS)

    assert (said.exit_code, output.exit_code) == (0, 0)
    assert not output.of_type("RECORD")
    found = by_stream(output.messages)
    # Decimals, too, are spelled as they would be.
    assert {name: [*map(plain, rows)] for name, rows in found.items()} == said.by_stream
    assert assert_covered(output.messages, twilio) > 2
    assert output.messages[-1]["type"] == "STATE"
    named = [Path(one["manifest"][0].removeprefix("file://")) for one in output.of_type("BATCH")]
    assert sorted(named) == sorted(one for one in root.rglob("*") if one.is_file())
    assert all(one.parent == root / "a" and one.name.startswith("b-tap-twilio--") for one in named)
    assert Counter(len(rows_of(one)) for one in output.of_type("BATCH")).most_common(1)[0][0] == 7
    assert max(len(rows_of(one)) for one in output.of_type("BATCH")) == 7
    # What a target of the SDK takes from a RECORD message, and can't from a BATCH.
    versions = {one["stream"]: one["version"] for one in output.of_type("ACTIVATE_VERSION")}
    assert versions.keys() == {"accounts", "applications"}
    for name, rows in found.items():
        assert {row.get("_sdc_table_version") for row in rows} == {versions.get(name)}
        moments = {row["_sdc_extracted_at"] for row in rows}
        assert all(datetime.fromisoformat(one).tzinfo for one in moments)
    for message in output.of_type("BATCH"):
        assert message.get("version") == versions.get(message["stream"])


SHAPES = {
    "masked": {"pii": "hash", "pii_key": "a long and random text"},
    "dropped": {"pii": "drop"},
    "mapped": {
        "stream_maps": {
            "calls": {
                "__alias__": "phone/calls",
                "__filter__": "duration != 0",
                "sid": "sid",
                "twice": "duration * 2",
                "__else__": None,
            },
            "messages": {"body": None},
        }
    },
    "flattened": {"flattening_enabled": True, "flattening_max_depth": 2},
}


@pytest.mark.parametrize("name", SHAPES)
def test_what_changes_records_changes_files(run, sandbox, tmp_path, name):
    twilio = sandbox(volumes={"calls": 40, "messages": 20}, subaccounts=0, frozen=True)
    for row in truth(twilio, STREAMS_BY_NAME["calls"])[::7]:
        twilio.patch(row["sid"], mood={"a": 1})
    config, catalog = config_for(twilio, **SHAPES[name]), catalog_of(STREAMS)
    for entry in catalog["streams"]:
        for field in entry["metadata"]:
            if field["breadcrumb"] in (["properties", "uri"], ["properties", "price_unit"]):
                field["metadata"]["selected"] = False

    said = run(config, catalog=catalog)
    output = run(config | batches(tmp_path / "out", 9), catalog=catalog)

    found = {one: [*map(plain, rows)] for one, rows in by_stream(output.messages).items()}
    assert found == said.by_stream
    assert list(assert_in_order(output.messages))
    assert output.schemas == said.schemas
    assert {len(rows) for rows in found.values()} != {0}
    assert not any("uri" in row or "price_unit" in row for rows in found.values() for row in rows)


# --- Whatever happens ----------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_run_that_is_killed_names_whole_files_and_the_next_reads_the_rest(
    run, sandbox, tmp_path, number
):
    root = tmp_path / "out"
    twilio = sandbox(volumes={"calls": 500, "messages": 0}, subaccounts=1, frozen=True)
    config = config_for(twilio, page_size=40) | batches(root, 10)
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "catalog.json").write_text(json.dumps(catalog_of(["calls", "recordings"])))
    _, last = twilio.accounts
    held = twilio.plan(faults.delay(PATIENCE), "/Calls.json", account_sid=last.sid, skip=2, times=1)
    command = [sys.executable, "-m", "tap_twilio", "--config", "config.json"]
    with (tmp_path / "first").open("wb") as output:
        process = subprocess.Popen(
            [*command, "--catalog", "catalog.json"],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
            stdout=output,
            stderr=subprocess.DEVNULL,
        )
    try:
        wait_until(lambda: b'"STATE"' in (tmp_path / "first").read_bytes(), "a STATE")
        wait_until(lambda: held.hits, "a page that does not come")
        process.send_signal(number)
        assert process.wait(PATIENCE) in {-signal.SIGKILL, 128 + signal.SIGTERM}
    finally:
        process.kill()
        process.wait()
    twilio.clear_plans()

    first = [json.loads(line) for line in (tmp_path / "first").read_bytes().splitlines()]
    assert assert_covered(first, twilio) > 0
    states = [one["value"] for one in first if one["type"] == "STATE"]
    assert number == signal.SIGKILL or first[-1]["type"] == "STATE"
    second = run(config, streams=["calls", "recordings"], state=states[-1])

    assert assert_covered(first + second.messages, twilio) > len(states)
    for name in ("calls", "recordings"):
        wanted = {row["sid"]: row for row in truth(twilio, STREAMS_BY_NAME[name])}
        early, late = by_stream(first)[name], by_stream(second.messages)[name]
        assert {row["sid"]: plain(row) for row in early + late} == wanted
        assert len(late) == len({row["sid"] for row in late})


def test_a_disk_that_is_full_ends_the_run_and_no_state_passes_it(
    run, sandbox, tmp_path, monkeypatch
):
    twilio = sandbox(volumes={"calls": 300, "messages": 0}, subaccounts=0, frozen=True)
    config = config_for(twilio, page_size=40) | batches(tmp_path / "out")
    write = LocalFileSystem.pipe_file
    written = []

    def fill(self, path, value, *arguments, **options):
        if len(written) == 2:
            write(self, path, value[:10])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written.append(path)
        return write(self, path, value, *arguments, **options)

    monkeypatch.setattr(LocalFileSystem, "pipe_file", fill)
    # So files are written where a bookmark moves, amid the reading of a list.
    monkeypatch.setattr(files, "SECONDS_BETWEEN_STATES", 0.0)

    output = run(config, streams=["calls"])

    assert output.exit_code == 1
    sentence = "batch_config.storage: files can't be written there: No space left on device"
    assert output.log.count(sentence) == output.log.count("ERROR") == 1
    assert len(output.of_type("BATCH")) == 2
    # What is only half there has no file's name.
    assert {path.suffix for path in (tmp_path / "out").iterdir()} == {".gz", ".unfinished"}
    assert len(list((tmp_path / "out").glob("*.gz"))) == 2
    assert assert_covered(output.messages, twilio) > 0


def test_a_folder_that_cannot_be_made_is_told_of_before_anything_is_read(run, small, tmp_path):
    (tmp_path / "file").write_text("")
    before = small.requests.total

    output = run(config_for(small) | batches(tmp_path / "file" / "out"), streams=["calls"])

    assert output.exit_code == 1
    assert "batch_config.storage: files can't be written there: Not a directory" in output.log
    assert small.requests.total == before


REFUSED = {
    "encoding.format: 'parquet' is not one of ['jsonl']": {"encoding": {"format": "parquet"}},
    "encoding.compression: 'zstd' is not one of ['gzip', 'none'": {
        "encoding": {"format": "jsonl", "compression": "zstd"}
    },
    "storage: 'root' is a required property": {"storage": {"prefix": "a"}},
    "storage: Additional properties are not allowed": {"storage": {"root": "/x", "params": {}}},
    "batch_size: 0 is less than the minimum of 1": {"batch_size": 0},
    "storage.root: the tap can't write there: Unsupported filesystem: 'nope'": {
        "storage": {"root": "nope://user:secret@x"}
    },
    "storage.root: the tap can't write there: Install s3fs": {"storage": {"root": "s3://a/b"}},
}


@pytest.mark.parametrize("sentence", REFUSED)
def test_what_is_not_supported_is_named(run, small, tmp_path, sentence):
    config = config_for(small) | batches(tmp_path / "out")
    config["batch_config"] |= REFUSED[sentence]

    output = run(config, streams=["calls"])

    assert (output.exit_code, output.lines) == (1, [])
    assert f"batch_config.{sentence}" in output.log
    assert "secret" not in output.log
    assert not (tmp_path / "out").exists()


# --- Files ---------------------------------------------------------------------------------------


@pytest.fixture
def make(tmp_path):
    """Makes what writes files, and the messages that it writes."""

    def go(root=tmp_path, **options):
        given = {"storage": {"root": str(root)}, "encoding": {"format": "jsonl"}, **options}
        messages = []
        return Files(Batches.of(given), lambda one: messages.append(one.to_dict())), messages

    return go


ROW = {"sid": "CA1", "text": "x" * 1000}


def test_a_file_is_bounded_in_bytes_as_targets_take_it_whole(make, monkeypatch):
    monkeypatch.setattr(files, "LARGEST", 300_000)
    writer, messages = make()

    writer.write_records("calls", [dict(ROW) for _ in range(2000)], None, None)
    writer.close_all()

    sizes = [sum(map(len, encoded(rows_of(one), b"", b"\n"))) for one in messages]
    assert sum(len(rows_of(one)) for one in messages) == 2000
    assert 300_000 <= max(sizes) < 300_000 + 70_000
    assert min(sizes[:-1]) >= 300_000


@pytest.mark.parametrize("compression", ["gzip", "none"])
def test_what_waits_is_bounded_over_all_streams(make, monkeypatch, compression):
    monkeypatch.setattr(files, "MOST_HELD", 1_000_000)
    writer, messages = make(encoding={"format": "jsonl", "compression": compression})

    for turn in range(30):
        for stream in range(20):
            rows = [
                {"sid": f"{stream}-{turn}-{one}", "text": os.urandom(500).hex()} for one in "ab"
            ]
            writer.write_records(f"stream{stream}", rows, None, None)
    assert messages
    waiting = 20 * 30 * 2 - sum(len(rows_of(one)) for one in messages)
    assert 100 < waiting < 1000
    writer.close_all()

    assert sum(len(rows_of(one)) for one in messages) == 20 * 30 * 2


def test_a_state_comes_when_it_cuts_few_files_short_or_the_last_is_old(make, monkeypatch):
    clock = [1000.0]
    monkeypatch.setattr(files.time, "monotonic", lambda: clock[0])
    writer, _ = make(batch_size=10)

    def take(stream, count):
        writer.write_records(stream, [dict(ROW) for _ in range(count)], datetime.now(UTC), 3)

    owed = [writer.owes_state]
    take("calls", 10)
    owed.append(writer.owes_state)
    take("messages", 1)
    take("calls", 70)
    owed.append(writer.owes_state)
    take("calls", 10)
    owed.append(writer.owes_state)
    writer.close_all()
    owed.append(writer.owes_state)
    clock[0] += files.SECONDS_BETWEEN_STATES
    owed.append(writer.owes_state)

    assert owed == [False, True, False, True, False, True]


def test_a_bucket_gets_whole_objects(make):
    store = MemoryFileSystem()
    writer, messages = make("memory://bucket/twilio")

    writer.write_records("calls", [dict(ROW)], None, None)
    writer.close_all()

    (message,) = messages
    (path,) = store.find("/bucket")
    assert message["manifest"] == [f"memory://{path}"]
    assert json.loads(decompress(store.cat_file(path))) == ROW
