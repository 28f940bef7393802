"""Rows out of exported files: redirected to another host, read as they come, each day once."""

from __future__ import annotations

import gzip
import json
import signal
import subprocess
import sys
import threading
import zlib
from datetime import timedelta

import pytest

from harness import (
    PATIENCE,
    STREAMS_BY_NAME,
    Output,
    catalog_of,
    config_for,
    schema_of,
    select,
    typed,
)
from sandbox import faults
from sandbox.exports import packed
from sandbox.storage import Trouble
from tap_twilio.config.inputs import check_state
from tap_twilio.http import files
from tap_twilio.http.errors import TapError

MESSAGES = "bulkexports_messages"
KINDS = {
    "bulkexports_messages": "Messages",
    "bulkexports_calls": "Calls",
    "bulkexports_conferences": "Conferences",
    "bulkexports_participants": "Participants",
}


def message(number, **fields):
    """A message as a file has it."""
    return {
        "sid": f"SM{number:032x}",
        "from": "+14155550001",
        "to": "+14155550002",
        "body": f"text {number}",
        "status": "delivered",
        "num_segments": 1,
        "num_media": 0,
        "price": "-0.00750",
        "error_code": 0,
        "date_sent": "2020-07-26T22:21:20Z",
        "flags": 65618,
        "start": "2020-07-26",
        **fields,
    }


@pytest.fixture
def twilio(sandbox):
    return sandbox(subaccounts=0, volumes={"calls": 0, "messages": 0})


def partition(output, stream=MESSAGES):
    (found,) = output.state["bookmarks"][stream]["partitions"]
    return found


def sids(output):
    return [row["sid"] for row in output.records(MESSAGES)]


def days_asked(twilio):
    return [one.path.rpartition("/")[2] for one in twilio.requests if "/Days/" in one.path]


def assert_secret(twilio, output):
    """No address of a file is told, nor who signed in there."""
    text = "\n".join([output.log, *output.lines])
    assert twilio.storage.signatures
    assert not [one for one in twilio.secrets if one in text]
    assert "X-Amz" not in text
    assert not [
        one for one in twilio.storage.fetches if {"Authorization", "Cookie"} & one.headers.keys()
    ]


@pytest.mark.parametrize("stream", KINDS)
def test_a_days_rows_are_typed_as_the_lists_are(run, sandbox, stream, monkeypatch):
    monkeypatch.setenv("LOGLEVEL", "DEBUG")
    twilio = sandbox(subaccounts=1, days=10, volumes={"calls": 200, "messages": 100})
    kind, keys = KINDS[stream], STREAMS_BY_NAME[stream].primary_keys
    day = (twilio.now - timedelta(days=5)).date().isoformat()
    for account in twilio.accounts:
        twilio.export(kind, day, account_sid=account.sid)

    output = run(config_for(twilio), streams=[stream])

    assert output.exit_code == 0, output.log
    properties = schema_of(STREAMS_BY_NAME[stream])["properties"]
    want = {}
    for account in twilio.accounts:
        for row in twilio.exported(kind, day, account.sid):
            row["error_code"] = row.get("error_code") or None
            whole = typed(row, properties) | {"day": day}
            want[tuple(whole[key] for key in keys)] = whole
    got = output.records(stream)
    assert len(got) == len(want) > 0
    for row in got:
        assert {"error_code": None, **row} == want[tuple(row[key] for key in keys)]
    assert "is not in the schema" not in output.log
    # The lists of other kinds of days are nobody's.
    listed = {one.path for one in twilio.requests if one.path.endswith("/Days")}
    assert listed == {f"/v1/Exports/{kind}/Days"}
    assert_secret(twilio, output)


def test_a_second_run_reads_what_is_new_and_what_was_made_anew(run, twilio):
    twilio.export("Messages", "2020-07-26", [message(1)])
    twilio.export("Messages", "2020-07-27", [message(2)])
    twilio.export("Messages", "2020-07-29", [message(3)])
    first = run(config_for(twilio), streams=[MESSAGES])
    twilio.requests.reset()
    again = run(config_for(twilio), streams=[MESSAGES], state=first.state)
    asked_again = days_asked(twilio)
    twilio.advance(timedelta(days=3))
    # Two jobs ordered the same day: the newer file is given for it.
    twilio.export("Messages", "2020-07-27", [message(2, status="read"), message(4)], name="more")
    twilio.export("Messages", "2020-07-28", [message(5)])
    second = run(config_for(twilio), streams=[MESSAGES], state=again.state)
    twilio.advance(timedelta(days=5))
    third = run(config_for(twilio), streams=[MESSAGES], state=second.state)

    assert [one.exit_code for one in (first, again, second, third)] == [0, 0, 0, 0]
    assert sids(first) == [message(n)["sid"] for n in (1, 2, 3)]
    assert [row["day"] for row in first.records(MESSAGES)] == [
        "2020-07-26",
        "2020-07-27",
        "2020-07-29",
    ]
    assert partition(first)["replication_key"] == "day"
    assert partition(first)["replication_key_value"] == "2020-07-29"
    assert partition(first)["days_read"] == ["2020-07-26/2020-07-27", "2020-07-29"]
    assert (sids(again), asked_again) == ([], [])
    assert sids(second) == [message(n)["sid"] for n in (2, 4, 5)]
    # The older file of the day is gone, which makes none of it new.
    assert sids(third) == []
    assert partition(third)["days_read"] == ["2020-07-26/2020-07-29"]
    assert partition(third)["files_read"].keys() == {"2020-07-27", "2020-07-28"}


def test_files_are_read_beside_other_streams_and_only_days_that_are_wanted(run, twilio):
    for number, day in enumerate(("2020-07-25", "2020-07-26", "2020-07-27")):
        twilio.export("Messages", day, [message(number)])
    config = config_for(twilio, start_date="2020-07-26", end_date="2020-07-27")

    output = run(config, streams=[MESSAGES, "bulkexports_days", "queues"])
    preview = run(config_for(twilio, max_records=2), streams=[MESSAGES])

    assert output.exit_code == 0
    assert [row["day"] for row in output.records(MESSAGES)] == ["2020-07-26"]
    assert partition(output)["days_read"] == ["2020-07-26"]
    assert len(output.records("bulkexports_days")) > 3
    assert output.records("queues")
    assert len(preview.records(MESSAGES)) == 2
    assert preview.state.get("bookmarks", {}) == {}


def test_personal_data_is_masked_as_in_lists(run, twilio):
    twilio.export("Messages", "2020-07-26", [message(1)])

    output = run(config_for(twilio, pii="drop"), streams=[MESSAGES])

    (row,) = output.records(MESSAGES)
    assert row["sid"] == message(1)["sid"]
    assert row["day"] == "2020-07-26"
    assert not {"from", "to", "body"} & {name for name, value in row.items() if value is not None}


def test_lists_below_rows_of_files_are_read(run, sandbox):
    twilio = sandbox(subaccounts=0, days=10, volumes={"calls": 60, "messages": 0})
    day = (twilio.now - timedelta(days=5)).date().isoformat()
    twilio.export("Calls", day)
    custom = {
        "name": "archived_events",
        "product": "api",
        "path": "/2010-04-01/Accounts/{account_sid}/Calls/{call_sid}/Events.json",
        "parent": "bulkexports_calls",
    }
    config = config_for(twilio, custom_streams=[custom], max_retries=0)
    (run.folder / "custom.json").write_text(json.dumps(config))
    catalog = run.raw("--config", str(run.folder / "custom.json"), "--discover").messages[0]
    streams = ["archived_events", "bulkexports_calls"]
    twilio.requests.reset()
    calls = [row["sid"] for row in twilio.exported("Calls", day)]
    broken = twilio.plan(faults.answer(500), f"{calls[-1]}/Events.json")

    first = run(config, catalog=select(catalog, streams))
    asked = [one.path.split("/")[-2] for one in twilio.requests if "/Events" in one.path]
    twilio.clear_plans()
    second = run(config, catalog=select(catalog, streams), state=first.state)

    assert sorted(asked) == sorted(calls)
    assert broken.hits == 1
    assert (first.exit_code, second.exit_code) == (1, 0)
    # A day counts once all below its rows was read.
    assert "days_read" not in json.dumps(first.state)
    assert partition(second, "bulkexports_calls")["days_read"] == [day]
    found = {row["call_sid"] for row in second.records("archived_events")}
    assert found
    assert found <= set(calls)


@pytest.mark.parametrize(
    "held",
    [
        {"days_read": "2020-07-26"},
        {"days_read": ["2020-07-32"]},
        {"days_read": ["2020-07-26/2020-07-25"]},
        {"days_read": ["2020-07-24/2020-07-25/2020-07-26"]},
        {"files_read": []},
        {"files_read": {"2020-07-26": "a"}},
    ],
)
def test_a_state_that_makes_no_sense_is_refused(held):
    state = {"bookmarks": {MESSAGES: {"partitions": [{"context": {"account_sid": "AC1"}} | held]}}}

    with pytest.raises(TapError, match=f"of {MESSAGES} has the wrong form"):
        check_state(state)


# --- Files that aren't what they should be -----------------------------------------------------


@pytest.fixture
def in_parts(monkeypatch):
    """Let a part be a few rows."""
    monkeypatch.setattr(files, "PART", 1000)
    monkeypatch.setattr(files, "CHUNK", 100)


ROWS = [message(number, body=f"{number * 7919 % 1000}") for number in range(60)]


@pytest.mark.usefixtures("in_parts")
@pytest.mark.parametrize("is_broken", [True, False], ids=["reset", "short"])
@pytest.mark.parametrize("compressed_by_parts", [False, True])
def test_a_file_that_breaks_off_is_read_on(run, twilio, is_broken, compressed_by_parts):
    lines = [f"{json.dumps(row)}\n".encode() for row in ROWS]
    content = gzip.compress(b"".join(lines), mtime=0)
    if compressed_by_parts:
        content = b"".join(gzip.compress(line) for line in lines)
    twilio.export("Messages", "2020-07-26", content=content)
    cuts = (len(content) * 2 // 3, len(content) // 3, len(content) - 4)
    twilio.storage.troubles += [Trouble(keep=cut, is_broken=is_broken) for cut in cuts]

    output = run(config_for(twilio), streams=[MESSAGES])

    assert output.exit_code == 0, output.log
    assert sids(output) == [row["sid"] for row in ROWS]
    assert len(twilio.storage.fetches) == 4
    # Each time by a new address.
    assert len({one.path for one in twilio.storage.fetches}) == 4
    assert_secret(twilio, output)


@pytest.mark.usefixtures("in_parts")
def test_a_file_without_its_end_leaves_its_day_unread(run, twilio):
    content = gzip.compress("".join(f"{json.dumps(row)}\n" for row in ROWS).encode())
    twilio.export("Messages", "2020-07-26", [message(100)])
    twilio.export("Messages", "2020-07-27", content=content[:-5])
    twilio.export("Messages", "2020-07-28", [message(200)])

    output = run(config_for(twilio, max_retries=1), streams=[MESSAGES])

    assert output.exit_code == 1
    assert "/v1/Exports/Messages/Days/2020-07-27 at 127.0.0.1" in output.log
    assert "the file broke off (its end is missing)" in output.log
    assert {message(100)["sid"], message(200)["sid"]} < set(sids(output))
    assert len(set(sids(output))) == len(sids(output))
    assert partition(output)["days_read"] == ["2020-07-26", "2020-07-28"]
    assert partition(output)["replication_key_value"] == "2020-07-26"
    assert "Traceback" not in output.log

    twilio.export("Messages", "2020-07-27", ROWS)
    mended = run(config_for(twilio), streams=[MESSAGES], state=output.state)

    assert mended.exit_code == 0
    assert sids(mended) == [row["sid"] for row in ROWS]
    assert partition(mended)["days_read"] == ["2020-07-26/2020-07-28"]
    assert partition(mended)["replication_key_value"] == "2020-07-28"


@pytest.mark.usefixtures("in_parts")
def test_a_file_that_is_made_anew_meanwhile_is_not_mixed_with_the_other(run, twilio):
    twilio.export("Messages", "2020-07-26", ROWS)
    others = [message(number) for number in range(1000, 1080)]
    twilio.storage.troubles.append(
        Trouble(
            keep=len(packed(ROWS)) // 2,
            then=lambda: twilio.export("Messages", "2020-07-26", others, name="b"),
        )
    )

    output = run(config_for(twilio), streams=[MESSAGES])
    after = run(config_for(twilio), streams=[MESSAGES], state=output.state)

    assert output.exit_code == 1
    assert "the file was made anew while it was read" in output.log
    assert not set(sids(output)) & {row["sid"] for row in others}
    assert after.exit_code == 0
    assert sids(after) == [row["sid"] for row in others]


def test_an_address_that_expired_is_asked_for_once_more(run, twilio):
    twilio.export("Messages", "2020-07-26", [message(1)])
    twilio.export("Messages", "2020-07-27", [message(2)])
    twilio.storage.troubles.append(Trouble(status=403))

    output = run(config_for(twilio), streams=[MESSAGES])
    twilio.storage.life = 0
    expired = run(config_for(twilio), streams=[MESSAGES])

    assert output.exit_code == 0
    assert sids(output) == [message(1)["sid"], message(2)["sid"]]
    assert expired.exit_code == 1
    assert sids(expired) == []
    assert "127.0.0.1" in expired.log
    assert "doesn't give the file (HTTP 403)" in expired.log
    assert "days_read" not in json.dumps(expired.state)
    assert_secret(twilio, expired)


def test_an_empty_file_is_read_and_a_day_without_one_is_not(run, twilio):
    twilio.export("Messages", "2020-07-25", [])
    twilio.export("Messages", "2020-07-26", content=b"")
    twilio.export("Messages", "2020-07-27", has_file=False)
    twilio.export("Messages", "2020-07-28", [message(1)])
    config = config_for(twilio, emit_activate_version_messages=True)

    output = run(config, streams=[MESSAGES])

    assert output.exit_code == 0
    assert sids(output) == [message(1)["sid"]]
    # Rows of other days are not gone because these files lack them.
    assert output.of_type("ACTIVATE_VERSION") == []
    assert "2020-07-27 is listed, but has no file: it stays unread" in output.log
    assert partition(output)["days_read"] == ["2020-07-25/2020-07-26", "2020-07-28"]
    assert partition(output)["replication_key_value"] == "2020-07-26"


def test_odd_lines_cost_no_other(run, twilio):
    lines = [json.dumps(message(1)), "", '{"sid": ', "[]", '{"sid":"SM2","price":NaN}']
    content = gzip.compress("\r\n".join([*lines, json.dumps(message(3))]).encode())
    twilio.export("Messages", "2020-07-26", content=content)

    output = run(config_for(twilio), streams=[MESSAGES])

    assert output.exit_code == 0
    assert sids(output) == [message(1)["sid"], "SM2", message(3)["sid"]]
    assert "2 lines" in output.log or "rows that are no objects are left out" in output.log


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b'{"sid": "SM1"}\n', "it can't be decompressed"),
        (zlib.compress(b'{"sid": "SM1"}\n'), "it can't be decompressed"),
        (gzip.compress(b'{"sid": "SM1"}\n') + b"more", "it can't be decompressed"),
        (gzip.compress(b"x" * 5000), "a line of the file is longer than"),
    ],
    ids=["plain", "zlib", "trailing", "line"],
)
def test_a_file_of_another_form_is_told(run, twilio, monkeypatch, content, told):
    monkeypatch.setattr(files, "PART", 1000)
    monkeypatch.setattr(files, "LARGEST", 3000)
    twilio.export("Messages", "2020-07-26", content=content)

    output = run(config_for(twilio, max_retries=0), streams=[MESSAGES])

    assert output.exit_code == 1
    assert told in output.log
    assert "Traceback" not in output.log
    assert "days_read" not in json.dumps(output.state)


@pytest.mark.parametrize(
    ("status", "location", "told"),
    [
        (307, "", "the answer leads to no file"),
        (307, "ftp://files.example.com/a?b=hushhush", "leads to a file by something"),
        (307, "https://user:hushhush@files.example.com/a", "leads to a file by something"),
        (403, "", "skipped"),
        (500, "", "HTTP 500"),
    ],
)
def test_where_no_file_is_to_be_found_nothing_is_marked(run, twilio, status, location, told):
    twilio.export("Messages", "2020-07-26", [message(1)])
    twilio.plan(faults.redirect(location, status), "/Days/")

    output = run(config_for(twilio, max_retries=0), streams=[MESSAGES])

    assert output.exit_code == (0 if status == 403 else 1)
    assert told in output.log
    assert "hushhush" not in output.log
    assert "days_read" not in json.dumps(output.state)
    assert twilio.storage.fetches == []


# --- Runs that end early ------------------------------------------------------------------------


def lines_of(numbers):
    return "".join(f"{json.dumps(message(number))}\n" for number in numbers).encode()


def test_a_run_that_ends_within_a_file_reads_it_again(run, twilio, tmp_path):
    ended = threading.Event()

    def halting():
        yield gzip.compress(lines_of(range(1, 5000)))
        ended.wait(PATIENCE)
        yield gzip.compress(lines_of(range(5000, 5010)))

    twilio.export("Messages", "2020-07-26", [message(0)])
    twilio.export("Messages", "2020-07-27", content=halting)
    files = {"config": config_for(twilio), "catalog": catalog_of([MESSAGES])}
    for name, content in files.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(content))
    options = [f"--{name}={tmp_path / name}.json" for name in files]
    command = [sys.executable, "-m", "tap_twilio", *options]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as tap:
        lines = []
        for line in tap.stdout:
            lines.append(line)
            if f'"{message(1000)["sid"]}"' in line:
                break
        tap.send_signal(signal.SIGTERM)
        lines += tap.stdout
    # Only then: it must not need the rest of the file to end.
    ended.set()
    output = Output(tap.returncode, lines, "")
    after = run(config_for(twilio), streams=[MESSAGES], state=output.state)

    assert output.exit_code == 143
    assert 1000 < len(sids(output)) < 5000
    assert partition(output)["days_read"] == ["2020-07-26"]
    assert after.exit_code == 0
    assert sids(after) == [message(number)["sid"] for number in range(1, 5010)]
