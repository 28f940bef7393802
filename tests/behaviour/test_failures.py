"""Whatever fails: retried, skipped or told, and never passed over in silence."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import termios

import pytest

from harness import (
    PATIENCE,
    STREAMS_BY_NAME,
    assert_complete,
    catalog_of,
    config_for,
    truth,
    wait_until,
)
from sandbox import Faults, faults

TRANSIENT = {
    "server error": faults.answer(500, 20500, "Internal error"),
    "unavailable": faults.answer(503, 20503, "Service unavailable"),
    "throttled": faults.throttle(),
    "throttled, with advice": faults.throttle(retry_after=0.01),
    "reset": faults.reset(),
    "truncated": faults.truncate(0.5),
    "empty": faults.empty(),
    "HTML": faults.html(),
}


@pytest.mark.parametrize("name", TRANSIENT)
def test_passing_trouble_is_retried(run, sandbox, name):
    twilio = sandbox(volumes={"calls": 60, "messages": 40})
    plan = twilio.plan(TRANSIENT[name], "/Calls.json", times=3)

    output = run(config_for(twilio, page_size=20), streams=["calls", "messages"])

    assert plan.hits == 3
    assert output.exit_code == 0
    assert_complete(output, twilio, "calls", "messages")


def test_a_storm_of_trouble_loses_nothing(run, sandbox):
    twilio = sandbox(
        volumes={"calls": 400, "messages": 300},
        faults=Faults(
            max_concurrency=3,
            rate_5xx=0.05,
            rate_reset=0.03,
            rate_truncated=0.03,
            rate_html=0.03,
            rate_empty=0.03,
        ),
        page_latency=0.002,
    )

    output = run(
        config_for(twilio, page_size=25, max_retries=12),
        streams=["calls", "call_recordings", "messages", "message_media", "recordings"],
    )

    assert output.exit_code == 0
    assert_complete(output, twilio, "calls", "call_recordings", "messages", "message_media")


def test_throttling_never_fails_a_run_that_is_answered(run, sandbox):
    twilio = sandbox(
        volumes={"calls": 300, "messages": 0},
        faults=Faults(max_concurrency=1),
        page_latency=0.01,
        subaccounts=0,
    )

    output = run(config_for(twilio, max_retries=0), streams=["calls", "call_recordings"])

    assert output.exit_code == 0
    assert_complete(output, twilio, "calls", "call_recordings")


def test_an_account_that_does_nothing_but_throttle_is_given_up(run, sandbox, monkeypatch):
    monkeypatch.setattr("tap_twilio.engine.fetcher.SILENCE", 0.2)
    twilio = sandbox(volumes={"calls": 5, "messages": 0}, subaccounts=0)
    twilio.plan(faults.throttle(retry_after=0.01), "/Calls.json")

    output = run(config_for(twilio, max_retries=0), streams=["calls"])

    assert output.exit_code == 1
    assert "FAILED calls" in output.log
    assert "429" in output.log
    assert output.bookmark("calls", twilio.account_sid) is None
    assert len([one for one in twilio.requests if one.path.endswith("/Calls.json")]) > 3


def test_a_window_that_fails_for_good_holds_its_bookmark_and_others_go_on(run, sandbox):
    twilio = sandbox(volumes={"calls": 60, "messages": 60})
    main = twilio.account_sid
    twilio.plan(faults.answer(500, 20500, "Internal error"), "/Calls.json", account_sid=main)

    output = run(config_for(twilio, max_retries=1), streams=["calls", "messages"])

    assert output.exit_code == 1
    assert_complete(output, twilio, "messages")
    assert output.bookmark("calls", main) is None
    assert output.bookmark("calls", twilio.accounts[1].sid)
    assert f"FAILED calls of {main}" in output.log
    assert "20500" in output.log
    assert "Traceback" not in output.log

    twilio.clear_plans()
    again = run(config_for(twilio), streams=["calls", "messages"], state=output.state)
    merged = {record["sid"] for record in [*output.records("calls"), *again.records("calls")]}
    assert merged == {row["sid"] for row in truth(twilio, STREAMS_BY_NAME["calls"])}


def test_a_child_that_fails_holds_its_parents_bookmark(run, sandbox):
    twilio = sandbox(volumes={"calls": 20, "messages": 0}, subaccounts=0)
    call = truth(twilio, STREAMS_BY_NAME["calls"])[3]["sid"]
    twilio.plan(faults.answer(500, 20500, "Internal error"), f"/Calls/{call}/Recordings.json")

    output = run(config_for(twilio, max_retries=1), streams=["calls", "call_recordings"])

    assert output.exit_code == 1
    assert output.bookmark("calls", twilio.account_sid) is None


def test_a_refused_stream_is_skipped_and_named(run, sandbox):
    twilio = sandbox(volumes={"calls": 60, "messages": 60})
    sub = twilio.accounts[1].sid
    twilio.plan(faults.answer(403, 20403, "Forbidden"), "/Recordings.json", account_sid=sub)

    output = run(config_for(twilio), streams=["calls", "recordings"])

    assert output.exit_code == 0
    assert {record["account_sid"] for record in output.records("recordings")} == {
        twilio.account_sid
    }
    assert f"skipped recordings of {sub}" in output.log
    assert "20403" in output.log
    assert output.bookmark("recordings", sub) is None


def test_a_refused_child_is_asked_once_per_account(run, sandbox):
    twilio = sandbox(volumes={"calls": 200, "messages": 0}, subaccounts=0)
    plan = twilio.plan(faults.answer(403, 20403, "Forbidden"), "/Feedback.json")

    output = run(config_for(twilio, max_concurrent_requests=2), streams=["calls", "call_feedback"])

    assert output.exit_code == 0
    assert_complete(output, twilio, "calls")
    assert plan.hits <= 10


def test_a_refusal_in_the_middle_of_a_list_is_no_lack_of_permission(run, sandbox):
    twilio = sandbox(volumes={"calls": 100, "messages": 0}, subaccounts=0)
    twilio.plan(faults.answer(401, 20003, "Authenticate"), "/Calls.json", skip=4, times=2)

    output = run(config_for(twilio, page_size=20), streams=["calls"])

    assert output.exit_code == 0
    assert_complete(output, twilio, "calls")


def test_what_is_gone_is_counted(run, small):
    output = run(config_for(small), streams=["call_feedback"])

    assert output.exit_code == 0
    assert "not there (404)" in output.log


def test_a_link_to_a_foreign_host_is_not_followed(run, sandbox):
    twilio = sandbox(volumes={"calls": 50, "messages": 0}, subaccounts=0)
    twilio.plan(faults.next_link("https://evil.example.com/steal"), "/Calls.json")

    output = run(config_for(twilio, page_size=20), streams=["calls"])

    assert output.exit_code == 1
    assert "evil.example.com" in output.log


def test_a_redirect_is_not_followed(run, sandbox):
    twilio = sandbox(volumes={"calls": 50, "messages": 0}, subaccounts=0)
    twilio.plan(faults.redirect("https://evil.example.com/steal"), "/Calls.json")

    output = run(config_for(twilio), streams=["calls"])

    assert output.exit_code == 1
    assert "redirects elsewhere" in output.log


def test_a_page_that_repeats_ends_in_an_error(run, sandbox):
    twilio = sandbox(volumes={"calls": 80, "messages": 0}, subaccounts=0)
    twilio.plan(faults.repeat(), "/Calls.json", query={"Page": "1"})

    output = run(config_for(twilio, page_size=20, max_retries=0), streams=["calls"])

    assert output.exit_code == 1
    assert "lead in a circle" in output.log


def test_repeated_server_errors_make_pages_smaller(run, sandbox):
    twilio = sandbox(volumes={"calls": 0, "messages": 0}, subaccounts=0)
    twilio.plan(
        faults.answer(500, 20500, "Internal error"), "/Daily.json", query={"PageSize": "500"}
    )

    output = run(config_for(twilio, start_date="P20D"), streams=["usage_records_daily"])

    assert output.exit_code == 0
    assert output.records("usage_records_daily")


def test_messages_beyond_their_retention_are_not_asked_for(run, sandbox):
    twilio = sandbox(volumes={"calls": 0, "messages": 900}, days=500, subaccounts=0)

    output = run(config_for(twilio, start_date="P600D", page_size=50), streams=["messages"])

    assert output.exit_code == 0
    assert "keeps these rows for 400 days" in output.log
    dated = [row for row in truth(twilio, STREAMS_BY_NAME["messages"]) if row["date_sent"]]
    got = {record["sid"] for record in output.records("messages")}
    # The start keeps five minutes' distance from the edge.
    assert len({row["sid"] for row in dated} - got) <= 1


def test_alerts_beyond_the_cap_are_all_read(run, sandbox):
    twilio = sandbox(volumes={"calls": 0, "messages": 0, "alerts": 25_000}, subaccounts=0, days=29)

    output = run(config_for(twilio), streams=["alerts"])

    assert output.exit_code == 0
    assert_complete(output, twilio, "alerts")


# --- The process -------------------------------------------------------------------------------


def start(tmp_path, config, *arguments, stdout=subprocess.PIPE, **options):
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config))
    if "--catalog" not in arguments:
        arguments = (*arguments, "--catalog", write_catalog(tmp_path, "calls", "messages"))
    command = [sys.executable, "-m", "tap_twilio", "--config", str(path), *arguments]
    return subprocess.Popen(command, stdout=stdout, stderr=subprocess.PIPE, text=True, **options)


def write_catalog(folder, *streams):
    path = folder / "catalog.json"
    path.write_text(json.dumps(catalog_of(streams)))
    return str(path)


def wait_for_lines(path, count):
    wait_until(lambda: path.read_bytes().count(b"\n") >= count, "the tap's lines")


def messages_of(text):
    """Whole lines only: what a target would have read."""
    return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]


def last_state(messages):
    states = [message for message in messages if message["type"] == "STATE"]
    return states[-1]["value"] if states else {}


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_the_run_with_its_state(tmp_path, sandbox, number, code):
    twilio = sandbox(volumes={"calls": 2000, "messages": 0}, subaccounts=0, page_latency=0.02)
    config = config_for(twilio, page_size=20, max_concurrent_requests=2)
    out = tmp_path / "out"
    with out.open("wb") as stdout:
        tap = start(tmp_path, config, stdout=stdout)
        wait_for_lines(out, 400)
        tap.send_signal(number)
        err = tap.communicate(timeout=PATIENCE)[1]

    assert tap.returncode == code, err[-2000:]
    assert "Traceback" not in err
    assert out.read_text().endswith("\n")
    messages = messages_of(out.read_text())
    bookmark = last_state(messages)["bookmarks"]["calls"]["partitions"][0]["replication_key_value"]
    emitted = {
        message["record"]["sid"]
        for message in messages
        if message["type"] == "RECORD" and message["stream"] == "calls"
    }
    before_bookmark = {
        row["sid"]
        for row in truth(twilio, STREAMS_BY_NAME["calls"])
        if row["start_time"] and row["start_time"] < bookmark
    }
    assert before_bookmark
    assert before_bookmark <= emitted


@pytest.mark.parametrize("how", ["SIGKILL", "SIGTERM", "target dies"])
def test_a_run_cut_off_anywhere_goes_on_from_its_last_state(tmp_path, run, sandbox, how):
    twilio = sandbox(volumes={"calls": 2000, "messages": 0}, days=30, page_latency=0.01)
    config = config_for(twilio, page_size=50, max_concurrent_requests=2)
    catalog = write_catalog(tmp_path, "calls")
    kept: list[dict] = []
    for cut in (300, 900):
        state = tmp_path / "state.json"
        state.write_text(json.dumps(last_state(kept)))
        arguments = ("--state", str(state), "--catalog", catalog)
        if how == "target dies":
            tap = start(tmp_path, config, *arguments)
            text = "".join(tap.stdout.readline() for _ in range(cut))
            tap.stdout.close()
            err = tap.stderr.read()
            tap.wait(timeout=PATIENCE)
        else:
            out = tmp_path / "out"
            with out.open("wb") as stdout:
                tap = start(tmp_path, config, *arguments, stdout=stdout)
                wait_for_lines(out, cut)
                tap.send_signal(getattr(signal, how))
                err = tap.communicate(timeout=PATIENCE)[1]
            text = out.read_text()
        assert tap.returncode != 0
        assert "Traceback" not in err
        kept += messages_of(text)

    final = run(config, streams=["calls"], state=last_state(kept))
    assert final.exit_code == 0
    rows = {
        message["record"]["sid"]
        for message in [*kept, *final.messages]
        if message["type"] == "RECORD"
    }
    assert rows == {row["sid"] for row in truth(twilio, STREAMS_BY_NAME["calls"])}


def test_a_closed_pipe_is_one_sentence(tmp_path, sandbox):
    twilio = sandbox(volumes={"calls": 3000, "messages": 0}, subaccounts=0)
    tap = start(tmp_path, config_for(twilio, page_size=100))
    tap.stdout.readline()
    tap.stdout.close()
    err = tap.stderr.read()

    assert tap.wait(timeout=PATIENCE) == 141
    assert "The target ended before the tap did" in err
    assert "Traceback" not in err


def test_nothing_but_messages_on_stdout(tmp_path, sandbox):
    twilio = sandbox(volumes={"calls": 20, "messages": 20})
    tap = start(tmp_path, config_for(twilio), env={**os.environ, "LOGLEVEL": "DEBUG"})
    out, err = tap.communicate(timeout=PATIENCE)

    assert tap.returncode == 0
    assert {message["type"] for message in messages_of(out)} <= {"SCHEMA", "RECORD", "STATE"}
    for secret in twilio.secrets:
        assert secret not in out
        assert secret not in err


def test_a_signal_does_not_wait_for_an_answer(tmp_path, sandbox):
    twilio = sandbox(volumes={"calls": 50, "messages": 0}, subaccounts=0)
    twilio.plan(faults.delay(2 * PATIENCE), "/Calls.json")
    tap = start(tmp_path, config_for(twilio))
    wait_until(lambda: any("/Calls" in one.path for one in twilio.requests), "the request")
    tap.send_signal(signal.SIGTERM)

    assert tap.wait(timeout=PATIENCE) == 143


FULL = 32 * 1024
"""Bytes in a pipe after which nothing fits that the tap writes."""


def unread(pipe):
    told = fcntl.ioctl(pipe, termios.FIONREAD, bytes(4))
    return int.from_bytes(told, sys.byteorder)


def test_a_second_signal_does_not_wait_for_a_target_that_stands_still(tmp_path, sandbox):
    # More than a pipe holds, so that the tap waits for its reader.
    twilio = sandbox(volumes={"calls": 2000, "messages": 0}, subaccounts=0)
    tap = start(tmp_path, config_for(twilio))
    tap.stdout.readline()
    wait_until(lambda: unread(tap.stdout) >= FULL, "the full pipe")
    tap.send_signal(signal.SIGTERM)
    for line in tap.stderr:
        if "Ending on signal" in line:
            break
    assert tap.poll() is None
    tap.send_signal(signal.SIGINT)

    assert tap.wait(timeout=PATIENCE) == 130
