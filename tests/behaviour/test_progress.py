"""A run tells what it does, to people and to machines, and never on stdout."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
import tempfile

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


def test_a_stream_that_failed_is_measured_as_such(run, sandbox):
    twilio = sandbox(volumes={"calls": 10, "messages": 10}, subaccounts=0)
    twilio.plan(faults.answer(500, 20500, "Internal error"), "/Calls.json")

    points, _ = metrics_of(run(config_for(twilio, max_retries=0), streams=["calls", "messages"]))

    assert points["sync_duration", "calls"]["tags"]["status"] == "failed"
    assert points["sync_duration", "messages"]["tags"]["status"] == "succeeded"


def test_the_summary_tells_how_far_bookmarks_have_come(run, small):
    output = run(config_for(small, end_date="P1D"), streams=["calls"])

    bookmark = output.bookmark("calls", small.account_sid)
    assert f"records, {sum_of(output, 'calls')} requests, bookmark {bookmark}" in output.log
    assert "(0 of them retries)" in output.log


def sum_of(output, stream):
    return metrics_of(output)[0]["http_request_count", stream]["value"]


def test_a_stream_that_goes_on_is_told_of(run, sandbox, monkeypatch):
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", 0.0)
    twilio = sandbox(volumes={"calls": 120, "messages": 0}, subaccounts=0)

    output = run(config_for(twilio, page_size=20), streams=["calls"])

    lines = re.findall(rf"calls: (\d+) records, up to 20\S+Z, {twilio.account_sid}", output.log)
    assert len(lines) > 1
    assert lines == sorted(lines, key=int)


def test_nothing_is_told_of_a_short_run(run, small):
    output = run(config_for(small), streams=["calls"])

    assert "up to 20" not in output.log


# --- On a terminal -----------------------------------------------------------------------------


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


def test_a_terminal_gets_a_live_line_and_stdout_is_the_same(arguments):
    plain = subprocess.run(arguments, capture_output=True, check=True, timeout=PATIENCE)
    out, seen = on_a_terminal(arguments)

    assert b"\x1b" not in plain.stderr
    assert re.search(r"\r\x1b\[2K\d+ records, \d+ requests", seen)
    assert timeless(out) == timeless(plain.stdout)
    # Each line of the log begins where the live line was taken away.
    for line in seen.split("\r\n"):
        shown = line.rpartition("\x1b[2K")[2]
        assert not re.match(r"\d+ records, \d+ requests.*INFO", shown)


@pytest.mark.parametrize("environment", [{"TERM": "dumb"}, {"CI": "true"}])
def test_no_live_line_where_nobody_looks(arguments, environment):
    _, seen = on_a_terminal(arguments, **environment)

    assert "\x1b" not in seen
