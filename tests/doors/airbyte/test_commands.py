"""What the source says of itself, of an account, and when something is wrong."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys

import pytest
from jsonschema import Draft7Validator

from harness import PATIENCE, config_for
from sandbox import faults
from tap_twilio.airbyte.messages import Output
from tap_twilio.airbyte.spec import WITHOUT_EFFECT
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


def test_spec_has_the_taps_settings_and_one_more(specification):
    Draft7Validator.check_schema(specification)
    assert specification["properties"].keys() == (
        SCHEMA["properties"].keys() - WITHOUT_EFFECT | {"credentials"}
    )
    assert specification["required"] == ["account_sid"]


def test_spec_can_be_shown_as_a_form(specification):
    for name, setting in specification["properties"].items():
        assert isinstance(setting["type"], str), name
        assert setting["title"], name
        assert setting["description"], name
        assert None not in setting.get("enum", ()), name
        if setting["type"] == "array":
            assert setting["items"]["type"] == "string", "forms edit lists of texts, and no others"
        assert setting["type"] != "object" or setting["oneOf"], name


def test_the_form_has_parts_in_an_order(specification):
    groups = [group["id"] for group in specification["groups"]]
    assert all(group["title"] for group in specification["groups"])
    ordered = sorted(specification["properties"].values(), key=lambda setting: setting["order"])
    assert len({setting["order"] for setting in ordered}) == len(ordered)
    shown = [setting["group"] for setting in ordered if not setting.get("airbyte_hidden")]
    assert list(dict.fromkeys(shown)) == groups
    assert shown == sorted(shown, key=groups.index)


def test_spec_says_what_is_secret(specification):
    marked = {name for name, it in specification["properties"].items() if it.get("airbyte_secret")}
    assert marked == {name for name, it in SCHEMA["properties"].items() if it.get("secret")}
    ways = [way["properties"] for way in specification["properties"]["credentials"]["oneOf"]]
    fields = {name: field for way in ways for name, field in way.items()}
    assert {name for name in fields if fields[name].get("airbyte_secret")} == {
        "auth_token",
        "api_key_secret",
        "client_secret",
    }


def test_the_form_offers_a_choice_of_credentials(specification):
    credentials = specification["properties"]["credentials"]
    assert credentials["type"] == "object"
    assert [way["title"] for way in credentials["oneOf"]] == ["Auth token", "API key", "OAuth app"]
    for way in credentials["oneOf"]:
        assert way["type"] == "object"
        assert set(way["required"]) == way["properties"].keys()
        orders = [field["order"] for field in way["properties"].values()]
        assert orders == list(range(len(orders)))
    chosen = {way["properties"]["auth_type"]["const"] for way in credentials["oneOf"]}
    assert chosen == {"auth_token", "api_key", "client_credentials"}
    for name in ("auth_token", "api_key_sid", "api_key_secret", "client_id", "client_secret"):
        assert specification["properties"][name]["airbyte_hidden"]


SIGNED = {
    "a token": ({"auth_type": "auth_token", "auth_token": "TOKEN"}, True),
    "a token, and what another choice left": (
        {"auth_type": "auth_token", "auth_token": "TOKEN", "api_key_sid": "SK1"},
        True,
    ),
    "a key": ({"auth_type": "api_key", "api_key_sid": "SK", "api_key_secret": "SECRET"}, True),
    "an app": (
        {"auth_type": "client_credentials", "client_id": "APP", "client_secret": "APP-SECRET"},
        True,
    ),
    "flat settings": (None, True),
    "a token as a key": ({"auth_type": "api_key", "auth_token": "TOKEN"}, False),
}


@pytest.mark.parametrize("name", SIGNED)
def test_credentials_are_taken_as_the_form_gives_them(source, specification, sandbox, name):
    twilio = sandbox(volumes={"calls": 3, "messages": 0})
    chosen, fits = SIGNED[name]
    config = config_for(twilio)
    if chosen is not None:
        key = twilio.standard_key
        values = {"TOKEN": config.pop("auth_token"), "SK": key.sid, "SECRET": key.secret}
        values |= {"APP": twilio.app.client_id, "APP-SECRET": twilio.app.secret}
        chosen = {key: values.get(value, value) for key, value in chosen.items()}
        config["credentials"] = chosen

    said = source("check", config=config)

    assert Draft7Validator(specification).is_valid(config) == fits
    assert (connection(said)["status"] == "SUCCEEDED") == fits
    if not fits:
        assert "auth_token: it is required, or else api_key_sid" in connection(said)["message"]


def test_what_the_form_gives_goes_before_flat_settings(source, small):
    config = config_for(small, auth_token="mistyped-token-value")
    chosen = {"auth_type": "auth_token", "auth_token": small.auth_token}

    said = source("check", config=config | {"credentials": chosen})

    assert connection(said)["status"] == "SUCCEEDED"
    assert "The tap uses credentials, and ignores auth_token, which are given too" in said.log


BAD_CREDENTIALS = {
    "no choice": ({"auth_token": "mistyped-token-value"}, "credentials.auth_type: it is required"),
    "another choice": ({"auth_type": "oauth"}, "there are: auth_token, api_key"),
    "a list of choices": ({"auth_type": ["api_key"]}, "credentials.auth_type: it is required"),
    "a text": ("mistyped-token-value", "credentials.auth_type: it is required"),
    "a setting that there isn't": (
        {"auth_type": "api_key", "api_key": "mistyped-token-value"},
        "credentials.api_key: there is no such setting; did you mean 'api_key_sid'?",
    ),
}


@pytest.mark.parametrize("name", BAD_CREDENTIALS)
def test_credentials_that_make_no_sense(source, small, name):
    chosen, sentence = BAD_CREDENTIALS[name]

    said = source("check", config=config_for(small) | {"credentials": chosen})

    assert connection(said)["status"] == "FAILED"
    assert sentence in connection(said)["message"]
    assert "mistyped-token-value" not in "".join(said.lines)


@pytest.mark.parametrize("name", ["start_date", "end_date"])
def test_a_date_is_asked_for_by_a_calendar_or_as_text(source, specification, small, name):
    setting = specification["properties"][name]
    assert setting["format"] == "date-time"
    taken = ["2026-01-31", "2026-01-31T08:00:00Z", "2026-01-31T08:00:00.000Z", "P30D", "PT12H"]
    for moment in (*taken, *setting["examples"], "2026-01-31 08:00:00+01:00"):
        assert re.search(setting["pattern"], moment), moment
        config = config_for(small) | {name: moment}
        assert connection(source("check", config=config))["status"] == "SUCCEEDED", moment
    for moment in ("31.01.2026", "2026-1-31", "30D", "now", "2026-01-31 or so", ""):
        assert not re.search(setting["pattern"], moment), moment
    assert all(part in setting["pattern_descriptor"] for part in ("YYYY-MM-DD", "P30D"))


def test_a_setting_without_effect_is_not_offered_and_says_so(source, small):
    batches = {"encoding": {"format": "jsonl"}, "storage": {"root": "batches"}}
    config = config_for(small, emit_activate_version_messages=True, batch_config=batches)
    said = source("check", config=config)

    assert connection(said)["status"] == "SUCCEEDED"
    for name in WITHOUT_EFFECT:
        assert f"{name} has no effect: Airbyte's protocol has no such message" in said.log
        assert name not in "".join(source("spec").lines)
    plain = source("check", config=config_for(small, emit_activate_version_messages=False))
    assert "no such message" not in plain.log


def test_a_form_can_give_objects_as_text(specification):
    for name in ("filters", "custom_streams", "subaccount_credentials"):
        setting = specification["properties"][name]
        assert setting["type"] == "string"
        assert setting["multiline"]
        examples = [json.loads(example) for example in setting["examples"]]
        assert examples == SCHEMA["properties"][name]["examples"]


def test_texts_and_objects_are_the_same(source, sandbox):
    twilio = sandbox(volumes={"calls": 40, "messages": 0})
    filters = {"calls": {"status": ["busy"]}}

    for given in (filters, json.dumps(filters)):
        said = source.read(config_for(twilio, filters=given), ["calls"])
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
    assert recordings["default_cursor_field"] == ["date_updated"]


def test_discover_gives_a_cursor_to_whatever_can_go_on(streams):
    for name, stream in streams.items():
        goes_on = "incremental" in stream["supported_sync_modes"]
        assert ("default_cursor_field" in stream) == goes_on, name
        if goes_on:
            (cursor,) = stream["default_cursor_field"]
            assert cursor in stream["json_schema"]["properties"], name


def test_a_cursor_never_prefers_an_older_version_of_a_row(streams):
    # Those that have no date: all versions of a row are alike in it, so the last one counts.
    for name in ("call_events", "studio_execution_context", "intelligence_sentences"):
        assert streams[name]["default_cursor_field"] in streams[name]["source_defined_primary_key"]
    assert streams["insights_conference_participants"]["default_cursor_field"] == ["join_time"]


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
