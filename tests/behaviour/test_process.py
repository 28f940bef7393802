"""How the process begins and ends: signals at any time, and an output that can't be written."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import termios
import threading
from array import array
from pathlib import Path

import pytest

from harness import PATIENCE, catalog_of, config_for, wait_until
from sandbox import faults

PROGRAMS = ("tap_twilio", "tap_twilio.airbyte", "target_twilio")
FULL = Path("/dev/full")
needs_full = pytest.mark.skipif(not FULL.exists(), reason="needs a device that is always full")


@pytest.fixture
def start(tmp_path):
    """Starts programs of the tap's, which are gone after the test."""
    begun = []

    def go(program, *arguments, config=None, env=None, **options):
        if config is not None:
            path = tmp_path / "config.json"
            path.write_text(json.dumps(config))
            arguments = (*arguments, "--config", str(path))
        if config is not None and program == "tap_twilio" and "--discover" not in arguments:
            path = tmp_path / "catalog.json"
            path.write_text(json.dumps(catalog_of(["accounts", "calls", "messages"])))
            arguments = (*arguments, "--catalog", str(path))
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
        command = [sys.executable, "-m", program, *arguments]
        process = subprocess.Popen(command, env=os.environ | (env or {}), **streams)
        begun.append(process)
        return process

    yield go
    for process in begun:
        process.kill()
        process.wait()
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()


def read_until(process, text):
    """Read a log up to the line that has a text."""
    said = []
    late = threading.Timer(PATIENCE, process.kill)
    late.start()
    try:
        for line in process.stderr:
            said.append(line.decode())
            if text in said[-1]:
                return "".join(said)
    finally:
        late.cancel()
    pytest.fail(f"never said {text!r}: {''.join(said)}")


# --- Logging -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("program", "name"),
    [
        ("tap_twilio", "LOGLEVEL"),
        ("tap_twilio", "TAP_TWILIO_LOGLEVEL"),
        ("tap_twilio.airbyte", "LOGLEVEL"),
    ],
)
def test_a_level_of_logging_that_there_is_not_is_named(start, program, name):
    command = "spec" if program.endswith("airbyte") else "--about"

    process = start(program, command, env={name: "nonsense"})
    said = b"".join(process.communicate(timeout=PATIENCE)).decode()

    assert process.returncode == 1
    assert f"{name}: logging can't be set up so (Unknown level: 'NONSENSE')" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("content", ["version: [", "handlers: {}", None])
def test_a_configuration_of_logging_that_makes_no_sense_is_named(start, tmp_path, content):
    path = tmp_path / "logging.yaml"
    path.mkdir() if content is None else path.write_text(content)

    process = start("tap_twilio", "--about", env={"SINGER_SDK_LOG_CONFIG": str(path)})
    out, err = process.communicate(timeout=PATIENCE)

    assert (process.returncode, out) == (1, b"")
    assert len(err.splitlines()) == 1
    assert b"SINGER_SDK_LOG_CONFIG: logging can't be set up so (" in err


# --- Pipes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_pipe_that_does_not_wait_gets_whole_lines(start, sandbox, unbuffered):
    twilio = sandbox(volumes={"calls": 900, "messages": 0}, subaccounts=0)
    reader, pipe = os.pipe()
    os.set_blocking(pipe, False)
    process = start(
        "tap_twilio", config=config_for(twilio), env={"PYTHONUNBUFFERED": unbuffered}, stdout=pipe
    )
    os.close(pipe)
    wait_until(lambda: is_full(reader), "a full pipe")
    with os.fdopen(reader, "rb") as lines:
        messages = [json.loads(line) for line in lines]

    assert process.wait(PATIENCE) == 0
    calls = [
        one["record"]["sid"] for one in messages if one.get("stream") == "calls" if "record" in one
    ]
    assert len(calls) == len(set(calls)) == 900


def test_a_signal_tears_no_line_of_a_pipe_that_is_full(start, sandbox):
    twilio = sandbox(volumes={"calls": 900, "messages": 0}, subaccounts=0)
    process = start("tap_twilio", config=config_for(twilio), env={"PYTHONUNBUFFERED": "1"})
    wait_until(lambda: is_full(process.stdout), "a full pipe")

    process.send_signal(signal.SIGTERM)
    log = read_until(process, "Ending on signal")
    out, err = process.communicate(timeout=PATIENCE)
    messages = [json.loads(line) for line in out.splitlines()]

    assert process.returncode == 143
    assert f"Read {sum('record' in one for one in messages)} records" in log + err.decode()


def is_full(pipe):
    """Tell whether a pipe holds as much as it can, or nearly."""
    held = array("i", [0])
    fcntl.ioctl(pipe, termios.FIONREAD, held)
    return held[0] > 60_000


# --- Signals -----------------------------------------------------------------------------------


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_among_the_imports_ends_the_program_quietly(
    tmp_path, start, program, number, code
):
    # In the place of a module that everything needs: one that is never read to its end.
    slow = tmp_path / "slow" / "msgspec.py"
    slow.parent.mkdir()
    slow.write_text("import time\nprint('here', flush=True)\ntime.sleep(60)\n")
    process = start(program, "--version", env={"PYTHONPATH": str(slow.parent)})
    assert process.stdout.readline() == b"here\n"

    process.send_signal(number)
    out, err = process.communicate(timeout=PATIENCE)

    assert process.returncode == code
    assert (out, err) == (b"", b"")


def test_a_signal_ends_a_pause_that_twilio_asked_for(start, sandbox):
    twilio = sandbox(volumes={"calls": 50, "messages": 50}, subaccounts=0)
    plan = twilio.plan(faults.throttle(retry_after=3600), "/Calls.json")
    process = start("tap_twilio", config=config_for(twilio))

    # It isn't waited for as long as Twilio would like, and said once, however many are refused.
    log = read_until(process, "Twilio asks for a pause: waiting 300 s")
    process.send_signal(signal.SIGTERM)
    log += process.communicate(timeout=PATIENCE)[1].decode()

    assert process.returncode == 143
    assert plan.hits >= 1
    assert log.count("asks for a pause") == 1
    assert "Traceback" not in log


def test_a_signal_ends_a_pause_while_signing_in(start, sandbox):
    twilio = sandbox(volumes={"calls": 5, "messages": 5}, subaccounts=0)
    # What is tried first with a key that may not list accounts.
    twilio.plan(faults.answer(401, 20003, "Authenticate"), "/Accounts.json")
    twilio.plan(faults.throttle(retry_after=60), "/Messages.json", times=1)
    process = start("tap_twilio", config=config_for(twilio))

    read_until(process, "Twilio asks for a pause")
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=PATIENCE)

    assert process.returncode == 143
    assert b"Traceback" not in err
    assert out.endswith(b"\n")


@pytest.mark.parametrize("arguments", [("--discover",), ("--test=connection",)])
def test_a_signal_ends_what_writes_no_records(start, sandbox, arguments):
    twilio = sandbox(volumes={"calls": 5, "messages": 5}, subaccounts=0)
    plan = twilio.plan(faults.delay(60), "/Accounts.json")
    # Its fields are to be told from its rows, for which accounts have to be known.
    own = [{"name": "mine", "product": "api", "path": "/2010-04-01/Accounts/{account_sid}/Q.json"}]
    process = start("tap_twilio", *arguments, config=config_for(twilio, custom_streams=own))
    wait_until(lambda: plan.hits, "the request")

    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE)

    assert process.returncode == 130
    assert out == b""
    assert b"Traceback" not in err


# --- Output ------------------------------------------------------------------------------------


def one_sentence(err):
    """The error that is told, and nothing but it."""
    assert "Traceback" not in err
    assert "Exception ignored" not in err
    (line,) = [line for line in err.splitlines() if "INFO" not in line]
    return line


@needs_full
@pytest.mark.parametrize("arguments", [("--help",), ("--discover",), ()])
def test_a_full_disk_is_one_sentence(start, small, arguments):
    config = None if arguments else config_for(small)
    with FULL.open("wb") as full:
        process = start("tap_twilio", *arguments, config=config, stdout=full)
        err = process.communicate(timeout=60)[1].decode()

    assert process.returncode == 1
    assert "stdout can't be written to: No space left on device" in one_sentence(err)


def test_a_file_that_may_not_grow_is_one_sentence(sandbox, tmp_path):
    twilio = sandbox(volumes={"calls": 3000, "messages": 0}, subaccounts=0)
    limit = f"import resource as r; r.setrlimit(r.RLIMIT_FSIZE, ({1 << 19}, {1 << 19}));"
    program = f"{limit}from tap_twilio.__main__ import main; main()"
    config = tmp_path / "config.json"
    config.write_text(json.dumps(config_for(twilio)))
    with (tmp_path / "out").open("wb") as out:
        process = subprocess.run(
            [sys.executable, "-c", program, "--config", str(config)],
            stdout=out,
            stderr=subprocess.PIPE,
            check=False,
            timeout=60,
        )

    assert process.returncode == 1
    assert (tmp_path / "out").stat().st_size == 1 << 19
    assert "stdout can't be written to: File too large" in one_sentence(process.stderr.decode())


@needs_full
@pytest.mark.parametrize("arguments", [("spec",), ("check",)])
def test_a_full_disk_is_one_sentence_of_the_source_too(start, small, arguments):
    config = None if arguments == ("spec",) else config_for(small)
    with FULL.open("wb") as full:
        process = start("tap_twilio.airbyte", *arguments, config=config, stdout=full)
        err = process.communicate(timeout=60)[1].decode()

    assert process.returncode == 1
    assert "stdout can't be written to: No space left on device" in one_sentence(err)


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_stdout_that_is_closed_is_one_sentence(start, program):
    process = start(program, "--version", stdout=None, preexec_fn=lambda: os.close(1))
    err = process.communicate(timeout=60)[1].decode()

    assert process.returncode == 1
    assert "stdout is closed" in one_sentence(err)


@pytest.mark.parametrize("arguments", [("--discover",), ()])
def test_a_reader_that_is_gone_at_once_is_one_sentence(start, small, arguments):
    config = None if arguments else config_for(small)
    reading, writing = os.pipe()
    os.close(reading)
    process = start("tap_twilio", *arguments, config=config, stdout=writing)
    os.close(writing)
    err = process.communicate(timeout=60)[1].decode()

    assert process.returncode == 141
    assert "The target ended before the tap did" in one_sentence(err)


def test_a_stderr_that_is_closed_keeps_nothing_from_being_read(start, small):
    process = start(
        "tap_twilio", config=config_for(small), stderr=None, preexec_fn=lambda: os.close(2)
    )
    out = process.communicate(timeout=60)[0]

    assert process.returncode == 0
    assert out.count(b'"RECORD"') > 300
