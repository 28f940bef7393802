"""A run tells what it does, to people and to machines, and never on stdout."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import tempfile
import termios
from datetime import UTC, datetime, timedelta

import pytest

from harness import PATIENCE, config_for, select
from sandbox import faults
from tap_twilio.output import progress


def metrics_of(output):
    found = [
        json.loads(line.partition("METRIC: ")[2])
        for line in output.log.splitlines()
        if "METRIC: " in line
    ]
    return {(point["metric"], point["tags"]["stream"]): point for point in found}, len(found)


@pytest.mark.usefixtures("measured")
def test_each_stream_is_measured_once(run, small):
    output = run(config_for(small), streams=["calls", "call_feedback", "messages"])

    points, count = metrics_of(output)
    assert count == len(points)
    for stream in ("calls", "call_feedback", "messages"):
        records = points["record_count", stream]
        assert records["type"] == "counter"
        assert records["value"] == len(output.records(stream))
        assert points["http_request_count", stream]["value"] > 0
        duration = points["sync_duration", stream]
        assert duration["type"] == "timer"
        assert duration["value"] > 0
        assert duration["tags"]["status"] == "succeeded"


@pytest.mark.usefixtures("measured")
def test_a_stream_that_failed_is_measured_as_such(run, sandbox):
    twilio = sandbox(volumes={"calls": 10, "messages": 10}, subaccounts=0)
    twilio.plan(faults.answer(500, 20500, "Internal error"), "/Calls.json")

    points, _ = metrics_of(run(config_for(twilio, max_retries=0), streams=["calls", "messages"]))

    assert points["sync_duration", "calls"]["tags"]["status"] == "failed"
    assert points["sync_duration", "messages"]["tags"]["status"] == "succeeded"


def test_the_log_has_what_people_read_and_no_metrics(run, small):
    output = run(config_for(small, start_date="P9D"), streams=["calls", "message_media"])

    lines = output.log.splitlines()
    assert "METRIC" not in output.log
    assert "env var" not in output.log
    start = f"{datetime.now(UTC) - timedelta(days=9):%Y-%m-%d}"
    assert re.fullmatch(
        rf"INFO tap-twilio Reading 2 streams of 2 accounts since {start}T\S+Z", lines[1]
    )
    assert len(lines) == len(["version", "reading", "read", "header", "streams", "", "", ""])


def test_the_summary_tells_how_far_bookmarks_have_come(run, small):
    output = run(config_for(small, end_date="P1D"), streams=["calls"])

    bookmark = output.bookmark("calls", small.account_sid)
    assert re.search(rf"  calls +\d+ +\d+  {bookmark}$", output.log, re.MULTILINE)
    assert re.search(r"Read \d+ records in 0:\d\d: \d+ requests, 0 retries\n", output.log)


def test_a_run_that_goes_on_is_told_of(run, sandbox, monkeypatch):
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", 0.0)
    twilio = sandbox(volumes={"calls": 120, "messages": 0}, subaccounts=0)

    output = run(config_for(twilio, page_size=20, start_date="P45D"), streams=["calls"])

    lines = re.findall(
        r"calls: (\d+) records up to 20\S+Z, (\d+) % of its range; \d:\d\d elapsed; \d+ records",
        output.log,
    )
    assert len(lines) > 1
    for column in zip(*lines, strict=True):
        assert [*column] == sorted(column, key=int)


def test_nothing_is_told_of_a_short_run(run, small):
    output = run(config_for(small), streams=["calls"])

    assert "up to 20" not in output.log


# --- On a terminal -----------------------------------------------------------------------------


WIDTH = 120


def command(tmp_path, twilio, catalog):
    end = twilio.now.replace(hour=0, minute=0, second=0).strftime("%Y-%m-%dT%H:%M:%SZ")
    for name, content in {
        "config": config_for(twilio, end_date=end, page_size=20),
        "catalog": select(catalog, ["calls"]),
    }.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(content))
    files = [f"--{name}={tmp_path / name}.json" for name in ("config", "catalog")]
    return [sys.executable, "-m", "tap_twilio", *files]


def on_a_terminal(arguments, **environment):
    """Run with a terminal as stderr; give stdout and what the terminal got."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, WIDTH, 0, 0))
    stdout = tempfile.TemporaryFile()  # noqa: SIM115 - a pipe would have to be emptied meanwhile
    env = {name: value for name, value in os.environ.items() if name != "CI"}
    process = subprocess.Popen(
        arguments,
        stdout=stdout,
        stderr=theirs,
        env=env | {"TERM": "xterm", **environment},
    )
    os.close(theirs)
    seen = b""
    while True:
        try:
            more = os.read(ours, 65536)
        except OSError:
            break
        if not more:
            break
        seen += more
    os.close(ours)
    assert process.wait(timeout=PATIENCE) == 0
    with stdout:
        stdout.seek(0)
        return stdout.read(), seen.decode()


def timeless(out):
    return re.sub(rb'"time_extracted":"[^"]*"', b"", out)


@pytest.fixture
def arguments(tmp_path, run, sandbox):
    twilio = sandbox(volumes={"calls": 300, "messages": 0}, subaccounts=0, page_latency=0.05)
    return command(tmp_path, twilio, run.discover())


FRAME = re.compile(r"\r\x1b\[J((?:\r\n[^\r\n]*)+)\r\x1b\[(\d+)A")
"""A drawing: it begins and ends on an empty line, and clears all below that first."""


def test_a_terminal_gets_live_lines_and_stdout_is_the_same(arguments):
    plain = subprocess.run(arguments, capture_output=True, check=True, timeout=PATIENCE)
    out, seen = on_a_terminal(arguments)

    assert b"\x1b" not in plain.stderr
    assert timeless(out) == timeless(plain.stdout)
    frames = [(found[1].split("\r\n")[1:], int(found[2])) for found in FRAME.finditer(seen)]
    assert all(len(lines) == height for lines, height in frames)
    drawn = [re.sub(r"\x1b\[\d+m", "", line) for lines, _ in frames for line in lines]
    assert any(
        re.match(r"  calls  +█+░+  +\d+ %  20\d\d-\d\d-\d\d  +\d+ records", one) for one in drawn
    )
    assert any(re.match(r"  0:\d\d elapsed.* \| \d+ records, \d+/s", one) for one in drawn)
    assert {len(one) for one in drawn if "%" in one} == {WIDTH - 1}
    # What is logged stands alone, and says no more than people read.
    rest = FRAME.sub("", seen).replace("\r\x1b[J", "")
    assert all(re.match(r"\d\d:\d\d:\d\d \S|\d\d:\d\d:\d\d   \S", one) for one in rest.splitlines())
    assert max(map(len, rest.splitlines())) <= 80


@pytest.mark.parametrize("environment", [{"TERM": "dumb"}, {"CI": "true"}])
def test_no_live_lines_where_nobody_looks(arguments, environment):
    _, seen = on_a_terminal(arguments, **environment)

    assert "\x1b" not in seen


def test_no_colors_for_who_minds_them(arguments):
    _, seen = on_a_terminal(arguments, NO_COLOR="1")

    assert "\x1b[J" in seen
    assert "█" in seen
    assert "\x1b[0m" not in seen
