"""How the target's process begins and ends: signals at any time, and a stdout that is lost."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness import PATIENCE, wait_until
from harness.target import TargetRunner, number, records, schema
from sandbox import faults

CREATE = "/Messages.json"
FULL = Path("/dev/full")


@pytest.fixture
def twilio(sandbox):
    return sandbox(volumes={"calls": 0, "messages": 20}, subaccounts=0, days=5)


@pytest.fixture
def target(twilio, tmp_path):
    return TargetRunner(tmp_path, twilio)


@pytest.fixture
def start(target):
    """Starts the target as a process that waits for lines; it is gone after the test."""
    begun = []

    def go(*arguments, stdout=subprocess.PIPE, env=None, **settings):
        config = target.folder / f"config-{len(begun)}.json"
        config.write_text(json.dumps(target.config(**settings)))
        process = subprocess.Popen(
            [sys.executable, "-m", "target_twilio", *(arguments or ("--config", str(config)))],
            stdin=subprocess.PIPE,
            stdout=stdout,
            stderr=subprocess.PIPE,
            env=os.environ | (env or {}),
            text=True,
        )
        begun.append(process)
        return process

    yield go
    for process in begun:
        process.kill()
        process.communicate()


def rows(*places):
    return records(
        "messages", [{"id": one, "to": number(one), "body": f"Hello {one}"} for one in places]
    )


def give(process, messages):
    """Write messages, and leave the pipe open."""
    process.stdin.write("".join(json.dumps(one) + "\n" for one in messages))
    process.stdin.flush()


def end(process, number):
    process.send_signal(number)
    begun = time.monotonic()
    out, err = process.communicate(timeout=PATIENCE)
    assert "Traceback" not in err
    return [json.loads(line) for line in out.splitlines()], err, time.monotonic() - begun


def recipients(twilio):
    return [one["parameters"]["To"] for one in twilio.held]


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_finishes_the_row_in_hand_and_no_other(start, target, twilio, sent, code):
    plan = twilio.plan(faults.delay(1.5), CREATE, method="POST", skip=1)
    process = start()
    give(process, [*rows(1), *rows(2, 3, 4)])
    wait_until(lambda: plan.hits, "the second request")

    states, err, _ = end(process, sent)

    assert process.returncode == code
    assert recipients(twilio) == [number(1), number(2)]
    assert [(line["key"]["id"], line["outcome"]) for line in target.lines()] == [
        (1, "sent"),
        (2, "sent"),
    ]
    assert states == [{"bookmarks": {"messages": 1}}]
    assert "Ending on signal" in err
    assert "Rows: 2 sent" in err


def test_a_signal_ends_a_wait_for_lines(start, target):
    process = start()
    give(process, rows(1))
    wait_until(lambda: len(target.lines()) == 1, "the row")
    time.sleep(0.5)

    states, _, took = end(process, signal.SIGTERM)

    assert process.returncode == 143
    assert took < PATIENCE / 4
    assert states == [{"bookmarks": {"messages": 1}}]


def test_a_signal_ends_a_pause_that_twilio_asked_for(start, target, twilio):
    plan = twilio.plan(faults.throttle(retry_after=3600), CREATE, method="POST", skip=1)
    process = start()
    give(process, [*rows(1), *rows(2)])
    wait_until(lambda: plan.hits, "the second request")
    time.sleep(0.2)

    states, _, took = end(process, signal.SIGTERM)
    twilio.clear_plans()
    again = target([*rows(1), *rows(2)])

    assert process.returncode == 143
    assert took < PATIENCE / 4
    assert states == [{"bookmarks": {"messages": 1}}]
    # What was surely not sent is not unknown.
    assert again.outcomes == ["duplicate", "sent"]


def test_a_signal_ends_the_wait_before_settling(start, target, twilio):
    plan = twilio.plan(faults.answer(500), CREATE, method="POST", accepted=True)
    process = start(settle_delay=3600)
    give(process, rows(1))
    process.stdin.close()
    wait_until(lambda: plan.hits and target.lines(), "the row")
    process.stdin = None
    time.sleep(0.5)

    states, _, took = end(process, signal.SIGTERM)
    again = target([])

    assert process.returncode == 143
    assert took < PATIENCE / 4
    assert states == [{"bookmarks": {"messages": 1}}]
    assert again.outcomes == ["sent"]


def test_a_signal_sends_what_waits_for_more_of_its_kind(start, target, twilio):
    consent = {
        "id": 1,
        "contact_id": number(1),
        "sender_id": "+14155550007",
        "status": "opt-out",
        "source": "website",
    }
    process = start()
    # The line behind the state is read only after it.
    give(process, [*records("consents", [consent]), schema("messages"), *rows(1)[1:2]])
    wait_until(lambda: any(line["action"] == "messages" for line in target.lines()), "the rows")
    give(process, records("consents", [consent | {"id": 2, "contact_id": number(2)}]))
    time.sleep(0.5)

    states, _, _ = end(process, signal.SIGTERM)

    assert process.returncode == 143
    assert [one["contact_id"] for one in twilio.consents] == [number(1), number(2)]
    assert states == [{"bookmarks": {"consents": 1}}]


def test_a_second_run_is_refused_while_one_is_there(start, target, twilio):
    first = start()
    give(first, rows(1))
    wait_until(lambda: len(target.lines()) == 1, "the row")

    second = start()
    give(second, rows(2))
    out, err = second.communicate(timeout=PATIENCE)
    first.communicate(timeout=PATIENCE)

    assert (second.returncode, out) == (1, "")
    assert "another run has it; wait for that to end" in err
    assert "Traceback" not in err
    assert first.returncode == 0
    assert recipients(twilio) == [number(1)]


def test_a_reader_that_is_gone_is_one_sentence(start, target):
    reading, writing = os.pipe()
    os.close(reading)
    process = start(stdout=writing)
    os.close(writing)
    _, err = process.communicate("".join(json.dumps(one) + "\n" for one in rows(1)), PATIENCE)

    assert process.returncode == 141
    assert "Whoever reads the state ended before the target did" in err
    assert "Traceback" not in err
    assert target(rows(1)).outcomes == ["duplicate"]


@pytest.mark.skipif(not FULL.exists(), reason="needs a device that is always full")
def test_a_full_disk_is_one_sentence(start):
    with FULL.open("w") as full:
        process = start(stdout=full)
        _, err = process.communicate("".join(json.dumps(one) + "\n" for one in rows(1)), PATIENCE)

    assert process.returncode == 1
    assert "stdout can't be written to: No space left on device" in err
    assert "Traceback" not in err


def test_settings_come_from_the_environment_too(start, target, twilio):
    env = {
        f"TARGET_TWILIO_{name.upper()}": json.dumps(one) if not isinstance(one, str) else one
        for name, one in target.config(allow_recipients=["+1555*"]).items()
    }
    process = start("--config", "ENV", env=env)
    process.communicate("".join(json.dumps(one) + "\n" for one in rows(1)), PATIENCE)

    assert process.returncode == 0
    assert recipients(twilio) == [number(1)]


def test_a_level_of_logging_that_there_is_not_is_named(start):
    process = start("--about", env={"TARGET_TWILIO_LOGLEVEL": "nonsense"})
    out, err = process.communicate(timeout=PATIENCE)

    assert process.returncode == 1
    assert "TARGET_TWILIO_LOGLEVEL: logging can't be set up so" in out + err
