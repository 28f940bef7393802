"""What the source says of itself, of an account, and when something is wrong."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys

import pytest
from jsonschema import Draft7Validator

from harness import PATIENCE, config_for
from sandbox import faults
from tap_twilio.airbyte.messages import Output
from tap_twilio.config.schema import SCHEMA
from tap_twilio.streams import STREAMS
from tests.doors.airbyte.harness import catalog

pytestmark = pytest.mark.door

# --- spec --------------------------------------------------------------------------------------


@pytest.fixture
def specification(source):
    said = source("spec")
    assert said.exit_code == 0
    (message,) = said.messages
    return message["spec"]["connectionSpecification"]


def test_spec_has_the_taps_settings_and_no_others(specification):
    Draft7Validator.check_schema(specification)
    ordered = sorted(specification["properties"].items(), key=lambda item: item[1]["order"])
    assert [name for name, _ in ordered] == list(SCHEMA["properties"])
    assert specification["required"] == ["account_sid"]


def test_spec_can_be_shown_as_a_form(specification):
    for name, setting in specification["properties"].items():
        assert isinstance(setting["type"], str), name
        assert setting["title"], name
        assert setting["description"], name
        assert None not in setting.get("enum", ()), name


def test_spec_says_what_is_secret(specification):
    marked = {name for name, it in specification["properties"].items() if it.get("airbyte_secret")}
    assert marked == {name for name, it in SCHEMA["properties"].items() if it.get("secret")}


def test_a_form_can_give_lists_and_objects_as_text(source, sandbox):
    twilio = sandbox(volumes={"calls": 40, "messages": 0})
    filters = {"calls": {"status": ["busy"]}}

    said = source.read(config_for(twilio, filters=json.dumps(filters)), ["calls"])
    assert {row["status"] for row in said.records("calls")} == {"busy"}

    (error,) = source.read(config_for(twilio, filters="{"), ["calls"]).errors
    assert error["message"] == "filters: the text is not JSON"
    assert error["failure_type"] == "config_error"


# --- check -------------------------------------------------------------------------------------


def connection(said):
    (message,) = said.of_type("CONNECTION_STATUS")
    return message["connectionStatus"]


def test_check_signs_in_and_reads_nothing(source, sandbox):
    twilio = sandbox(volumes={"calls": 5, "messages": 5})

    said = source("check", config=config_for(twilio))

    assert (said.exit_code, connection(said)) == (0, {"status": "SUCCEEDED"})
    assert {request.path for request in twilio.requests} == {"/2010-04-01/Accounts.json"}


def test_check_tells_of_wrong_credentials(source, small):
    said = source("check", config=config_for(small, auth_token="mistyped-token-value"))

    assert said.exit_code == 0
    assert connection(said)["status"] == "FAILED"
    assert "Twilio refused to sign in" in connection(said)["message"]
    assert "mistyped-token-value" not in "".join(said.lines)


WRONG = {
    "a setting that there isn't": ({"tokn": "x"}, "tokn: there is no such setting"),
    "one that is the platform's": ({"stream_maps": {}}, "stream_maps: there is no such setting"),
    "a date that is none": ({"start_date": "whenever"}, "start_date: 'whenever' is not a date"),
    "an account that there isn't": ({"accounts": ["x"]}, "accounts: no account is called 'x'"),
    "a filter that there isn't": ({"filters": {"calls": {"x": 1}}}, "filters.calls"),
    "a filter of a stream that there isn't": ({"filters": {"cals": {}}}, "filters: there is no"),
    "a declaration that makes no sense": ({"custom_streams": [{"name": "a"}]}, "custom_streams.0"),
    "a declaration that no row fits": (
        {
            "custom_streams": [
                {
                    "name": "mine",
                    "product": "api",
                    "path": "/2010-04-01/Accounts/{account_sid}/Queues.json",
                    "key": ["nothing"],
                }
            ]
        },
        "custom_streams.0.key: the rows of mine have no field 'nothing'",
    ),
    "a year that can't be meant": ({"start_date": "0226-01-01"}, "start_date: '0226-01-01' is"),
    "an edge that is none": ({"edge": "evil.com/"}, "edge: 'evil.com/' is not"),
}


@pytest.mark.parametrize("name", WRONG)
def test_settings_are_judged_as_the_tap_judges_them(source, run, small, name):
    settings, sentence = WRONG[name]
    config = config_for(small, **settings)

    checked = source("check", config=config)
    assert checked.exit_code == 0
    assert connection(checked)["status"] == "FAILED"
    assert sentence in connection(checked)["message"]

    read = source.read(config, ["calls"])
    assert read.exit_code == 1
    (error,) = read.errors
    assert error["message"] == connection(checked)["message"]
    assert error["failure_type"] == "config_error"

    # Stream maps are the tap's, and a catalog without the stream keeps it from being looked at.
    if name not in {"one that is the platform's", "a declaration that no row fits"}:
        assert sentence in run(config, streams=["calls"]).log


def test_check_tells_when_twilio_cannot_be_reached(source, small):
    config = config_for(small, base_url="http://127.0.0.1:9", max_retries=0)

    said = source("check", config=config)

    assert said.exit_code == 0
    assert "127.0.0.1:9 can't be reached" in connection(said)["message"]

    (error,) = source.read(config, ["calls"]).errors
    assert error["failure_type"] == "transient_error"


# --- discover ----------------------------------------------------------------------------------


@pytest.fixture
def streams(source, small):
    return source.streams(config_for(small))


def test_discover_knows_every_stream_as_the_tap_does(streams, run):
    singer = {entry["tap_stream_id"]: entry for entry in run.discover()["streams"]}
    assert streams.keys() == singer.keys()
    for name, stream in streams.items():
        properties = singer[name]["schema"]["properties"]
        own = {"additional_fields"}
        assert not own & properties.keys()
        assert stream["json_schema"]["properties"].keys() == properties.keys() | own
        keys = [[key] for key in singer[name]["key_properties"]]
        assert stream["source_defined_primary_key"] == keys


def test_discover_tells_what_can_go_on(streams):
    calls, recordings = streams["calls"], streams["call_recordings"]
    assert calls["default_cursor_field"] == ["start_time"]
    for stream in (calls, recordings):
        assert stream["supported_sync_modes"] == ["full_refresh", "incremental"]
        assert stream["source_defined_cursor"]
        assert stream["is_resumable"]
    assert "default_cursor_field" not in recordings


def test_discover_tells_what_is_read_whole(streams):
    numbers = streams["incoming_phone_numbers"]
    assert numbers["supported_sync_modes"] == ["full_refresh"]
    assert not numbers["source_defined_cursor"]
    assert "default_cursor_field" not in numbers


def test_discover_knows_what_a_setting_makes_incremental(source, small):
    numbers = source.streams(config_for(small, skip_unchanged=True))["incoming_phone_numbers"]
    assert numbers["default_cursor_field"] == ["date_updated"]
    assert "incremental" in numbers["supported_sync_modes"]


def test_discover_marks_every_timestamp(streams):
    marked = {
        name
        for name, field in streams["calls"]["json_schema"]["properties"].items()
        if field.get("airbyte_type") == "timestamp_with_timezone"
    }
    assert marked == {"date_created", "date_updated", "start_time", "end_time"}


def test_discover_with_settings_that_make_no_sense(source):
    said = source("discover", config={})

    assert said.exit_code == 1
    assert not said.of_type("CATALOG")
    (error,) = said.errors
    assert error["failure_type"] == "config_error"
    assert "account_sid: it is required" in error["message"]


# --- Files -------------------------------------------------------------------------------------


BAD_CATALOGS = {
    "no streams": ({}, "--catalog: it has no list 'streams'"),
    "no stream in it": ({"streams": [{}]}, "must have a 'stream'"),
    "a misspelt stream": (catalog({"cals": "incremental"}), "did you mean 'calls'?"),
    "a misspelt mode": (catalog({"calls": "INVALID"}), "sync_mode must be"),
}


@pytest.mark.parametrize("name", BAD_CATALOGS)
def test_a_catalog_that_makes_no_sense(source, small, name):
    content, sentence = BAD_CATALOGS[name]

    said = source("read", config=config_for(small), catalog=content)

    assert said.exit_code == 1
    (error,) = said.errors
    assert sentence in error["message"]
    assert error["failure_type"] == "config_error"


BAD_STATES = {
    "a Singer state": {"bookmarks": {"calls": {}}},
    "no list": [{"type": "STREAM", "stream": "calls"}],
    "no partitions": [
        {"stream": {"stream_descriptor": {"name": "calls"}, "stream_state": {"partitions": 1}}}
    ],
    "another connector's": [
        {"stream": {"stream_descriptor": {"name": "calls"}, "stream_state": {"cursor": "2026"}}}
    ],
    "a name that is none": [{"stream": {"stream_descriptor": {"name": 5}, "stream_state": {}}}],
    "a global state": [{"type": "GLOBAL", "global": {"stream_states": []}}],
}


@pytest.mark.parametrize("name", BAD_STATES)
def test_a_state_that_makes_no_sense(source, small, name):
    said = source.read(config_for(small), ["calls"], state=BAD_STATES[name])

    assert said.exit_code == 1
    (error,) = said.errors
    assert error["message"].startswith("--state: this is no state of this source")


def test_two_states_of_a_stream(source, small):
    state = [{"stream": {"stream_descriptor": {"name": "calls"}, "stream_state": {}}}] * 2

    (error,) = source.read(config_for(small), ["calls"], state=state).errors

    assert error["message"].startswith("--state: there are two of calls")


@pytest.mark.parametrize("option", ["config", "catalog", "state"])
@pytest.mark.parametrize(
    "content", ["[" * 200_000, "9" * 5000, '{"x":' + "[" * 200 + "]" * 200 + "}"]
)
def test_files_without_bounds(source, small, tmp_path, option, content):
    path = tmp_path / "input.json"
    path.write_text(content)
    files = {"config": config_for(small), "catalog": {"streams": []}, "state": []}
    del files[option]

    said = source("read", f"--{option}", str(path), **files)

    assert said.exit_code == 1
    (error,) = said.errors
    assert error["message"].startswith(f"--{option}: the file is ")


def test_a_bookmark_that_is_no_date(source, small):
    partition = {"context": {"account_sid": small.account_sid}, "replication_key_value": "soon"}
    descriptor = {"name": "calls"}
    blob = {"partitions": [partition]}
    state = [{"stream": {"stream_descriptor": descriptor, "stream_state": blob}}]

    (error,) = source.read(config_for(small), ["calls"], state=state).errors

    assert error["message"] == "--state: the bookmark 'soon' of calls is not a date or date-time"


def test_files_that_cannot_be_read(source, tmp_path):
    path = tmp_path / "nothing.json"
    (error,) = source("discover", "--config", str(path)).errors
    assert error["message"].startswith("--config: [Errno 2]")

    path.write_text("{")
    (error,) = source("discover", "--config", str(path)).errors
    assert error["message"].startswith("--config: the file is not JSON")

    path.write_text("[]")
    (error,) = source("discover", "--config", str(path)).errors
    assert error["message"] == "--config: the file holds no JSON object"


def test_a_platform_without_state_hands_an_empty_one(source, small):
    for empty in ([], {}):
        said = source.read(config_for(small), ["calls"], state=empty)
        assert said.exit_code == 0
        assert said.records("calls")


def test_a_state_with_a_key_twice_is_taken_as_pyairbyte_writes_it(source, small, tmp_path):
    first = source.read(config_for(small), ["calls"])
    path = tmp_path / "state.json"
    text = json.dumps(first.states).replace('"type"', '"global_": null, "global_": null, "type"')
    path.write_text(text)
    files = {"config": config_for(small), "catalog": catalog({"calls": "incremental"})}

    second = source("read", "--state", str(path), **files)

    assert second.exit_code == 0
    assert 0 < len(second.records("calls")) < len(first.records("calls"))


# --- How a process ends ------------------------------------------------------------------------


def start(*arguments):
    command = [sys.executable, "-m", "tap_twilio.airbyte", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_the_end_of_the_reader_ends_it(source, sandbox):
    twilio = sandbox(volumes={"calls": 2000, "messages": 0})
    files = {"config": config_for(twilio), "catalog": catalog({"calls": "incremental"})}
    process = start("read", *source.write(files))
    for line in process.stdout:
        if b'"RECORD"' in line:
            break
    process.stdout.close()

    assert process.wait(PATIENCE) == 128 + signal.SIGPIPE
    assert b"Traceback" not in process.stderr.read()
    process.stderr.close()


def test_an_error_that_nobody_expected_is_a_message_too(source, small, monkeypatch):
    def fail(*_args):
        message = f"what {small.auth_token} does"
        raise RuntimeError(message)

    monkeypatch.setattr("tap_twilio.engine.sync.SignIn.__call__", fail)

    for command in ("check", "read"):
        files = {"catalog": catalog({"calls": "incremental"})} if command == "read" else {}
        said = source(command, config=config_for(small), **files)

        assert said.exit_code == 1
        (error,) = said.errors
        assert error["failure_type"] == "system_error"
        assert error["message"] == "Unexpected RuntimeError: what ******** does. Please report it"
        assert "Traceback" in error["stack_trace"]
        assert small.auth_token not in "".join(said.lines)
    assert said.statuses("calls") == ["STARTED", "INCOMPLETE"]


def test_everything_on_stdout_is_a_message_and_no_secret_is_in_it(source, sandbox):
    twilio = sandbox(volumes={"calls": 30, "messages": 10})
    twilio.plan(faults.answer(500, 20500, "Internal error"), "/Calls.json", times=2)
    wanted = {"calls": "incremental", "incoming_phone_numbers": "full_refresh"}
    files = {"config": config_for(twilio), "catalog": catalog(wanted)}
    process = start("read", "--debug", *source.write(files))
    out, _ = process.communicate(timeout=PATIENCE)

    kinds = {json.loads(line)["type"] for line in out.splitlines()}
    assert kinds == {"LOG", "TRACE", "RECORD", "STATE"}
    levels = [json.loads(line).get("log", {}).get("level") for line in out.splitlines()]
    assert {"DEBUG", "INFO", "WARN"} <= set(levels)
    assert not [secret for secret in twilio.secrets if secret.encode() in out]


class Reentered(io.BytesIO):
    """Stdout as a signal's handler finds it that has interrupted a write to it."""

    busy = True

    def write(self, lines):
        if self.busy:
            message = "reentrant call inside <_io.BufferedWriter name='<stdout>'>"
            raise RuntimeError(message)
        return super().write(lines)


def test_what_is_logged_amid_a_record_comes_after_it():
    out = Reentered()
    output = Output(out)
    output.send_log({"type": "LOG", "log": {"level": "WARN", "message": "Ending"}})
    out.busy = False
    output.send_records("calls", [{"sid": "CA1"}])

    first, second = (json.loads(line) for line in out.getvalue().splitlines())
    assert first["log"]["message"] == "Ending"
    assert second["record"]["data"] == {"sid": "CA1"}


def test_the_executable_is_installed():
    path = os.path.join(os.path.dirname(sys.executable), "source-twilio")  # noqa: PTH118, PTH120
    done = subprocess.run([path, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.strip()


def test_all_streams_can_be_asked_for(streams):
    assert len(streams) == len(STREAMS)
