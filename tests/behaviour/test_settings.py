"""Settings that make no sense are told one by one, by name, and never with a secret."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from harness import config_for
from tap_twilio.config.checks import SettingsError
from tap_twilio.config.settings import parse
from tap_twilio.tap import TapTwilio

SID = "AC" + "a" * 32
OTHER = "AC" + "b" * 32
GOOD = {"account_sid": SID, "auth_token": "token-token-token"}
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def of_subaccount(own, sid=OTHER):
    return {"subaccount_credentials": {sid: own}}


def read(config):
    TapTwilio.append_builtin_config(TapTwilio.config_jsonschema)
    properties = TapTwilio.config_jsonschema["properties"]
    return parse(config, properties=properties, user_agent="tap-twilio/test", now=NOW)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"account_sid": None}, "account_sid: it is required"),
        ({"account_sid": "SK123"}, "account_sid: an account's SID begins with AC"),
        ({"auth_token": None}, "auth_token: it is required, or else api_key_sid"),
        ({"auth_token": ""}, "auth_token: it is required, or else api_key_sid"),
        ({"api_key_sid": "SK1", "api_key_secret": "s"}, "auth_token: give either auth_token or"),
        ({"auth_token": None, "api_key_sid": "SK1"}, "api_key_secret: it is required beside"),
        ({"auth_token": None, "api_key_secret": "s"}, "api_key_sid: it is required beside"),
        (
            {"auth_token": None, "api_key_sid": "AC1", "api_key_secret": "s"},
            "api_key_sid: an API key's SID begins with SK",
        ),
        ({"auth_token": 17}, "auth_token: it has the wrong form"),
        ({"region": "mars1"}, "region: 'mars1' is not one of"),
        ({"start_date": "yesterday"}, "start_date: 'yesterday' is not a date"),
        ({"start_date": "2026-02-30"}, "start_date: '2026-02-30' is not a date"),
        ({"end_date": "P1X"}, "end_date: 'P1X' is not a date"),
        ({"start_date": "P1D", "end_date": "P2D"}, "start_date: P1D is not before end_date"),
        ({"start_date": "2027-01-01"}, "start_date: 2027-01-01 is not before now"),
        ({"lookback_days": -1}, "lookback_days: -1 is less than the minimum of 0"),
        ({"page_size": 0}, "page_size: 0 is less than the minimum of 1"),
        ({"max_records": "ten"}, "max_records: 'ten' is not of type"),
        ({"accounts": "AC1"}, "accounts: 'AC1' is not of type"),
        ({"filters": {"calls": "busy"}}, "filters.calls: 'busy' is not of type"),
        ({"acounts": []}, "acounts: there is no such setting; did you mean 'accounts'?"),
        ({"base_url": "localhost"}, "base_url: it is not an address"),
        ({"base_url": "http://h", "region": "ie1"}, "base_url: give either base_url or region"),
        ({"user_agent": "\N{CYRILLIC SMALL LETTER TE}ap"}, "user_agent: it has characters that"),
        ({"user_agent": "tap\r\nX-Other: 1"}, "user_agent: it has characters that"),
        ({"max_concurrent_requests": 0}, "max_concurrent_requests: 0 is less than"),
        ({"pii": "mask"}, "pii: 'mask' is not one of"),
        ({"pii": "hash"}, "pii_key: it is required to hash"),
        ({"pii": "hash", "pii_key": ""}, "pii_key: it is required to hash"),
        ({"pii_key": 5}, "pii_key: it has the wrong form"),
        (of_subaccount("token-token-token"), f"subaccount_credentials.{OTHER}: it has the wrong"),
        (of_subaccount({"token": "t"}), f"subaccount_credentials.{OTHER}: it has the wrong form"),
        (of_subaccount({}), f"subaccount_credentials.{OTHER}.auth_token: it is required"),
        (
            of_subaccount({"api_key_sid": "SK1"}),
            f"subaccount_credentials.{OTHER}.api_key_secret: it is required beside",
        ),
        (
            of_subaccount({"api_key_sid": "AC1", "api_key_secret": "s"}),
            f"subaccount_credentials.{OTHER}.api_key_sid: an API key's SID begins with SK",
        ),
        (
            of_subaccount({"auth_token": "t", "api_key_sid": "SK1", "api_key_secret": "s"}),
            f"subaccount_credentials.{OTHER}.auth_token: give either",
        ),
        (of_subaccount({"auth_token": "t"}, "Marketing"), "subaccount_credentials.Marketing: an"),
        (of_subaccount({"auth_token": "t"}, SID), f"subaccount_credentials.{SID}: this is account"),
        ({"subaccount_credentials": "{"}, "subaccount_credentials: it has the wrong form"),
    ],
)
def test_each_mistake_is_named(change, sentence):
    with pytest.raises(SettingsError) as caught:
        read(GOOD | change)

    assert any(error.startswith(sentence) for error in caught.value.errors), caught.value.errors


def test_secrets_are_not_quoted():
    config = {"account_sid": SID, "auth_token": ["hunter2-hunter2"], "api_key_secret": 5}
    for own in ("hunter2", ["hunter2"], {"auth_token": ["hunter2"]}, {"hunter2": 5}):
        with pytest.raises(SettingsError) as caught:
            read(config | of_subaccount(own))

        assert "hunter2" not in str(caught.value)


def test_all_mistakes_are_told_at_once(run):
    output = run({"account_sid": "x", "auth_token": "t", "start_date": "?", "base_url": "?"})

    assert output.exit_code == 1
    assert output.lines == []
    for name in ("account_sid:", "start_date:", "base_url:"):
        assert output.log.count(name) == 1


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("2026-11-01", datetime(2026, 11, 1, tzinfo=UTC)),
        ("2026-11-01T08:30:00Z", datetime(2026, 11, 1, 8, 30, tzinfo=UTC)),
        ("2026-11-01T08:30:00+02:00", datetime(2026, 11, 1, 6, 30, tzinfo=UTC)),
        ("2026-11-01 08:30", datetime(2026, 11, 1, 8, 30, tzinfo=UTC)),
        ("P10D", datetime(2026, 11, 10, 12, tzinfo=UTC)),
        ("PT6H", datetime(2026, 11, 20, 6, tzinfo=UTC)),
        ("P1M", datetime(2026, 10, 20, 12, tzinfo=UTC)),
    ],
)
def test_dates_take_three_forms(value, moment):
    assert read(GOOD | {"start_date": value}).start == moment


def test_defaults_are_those_of_the_schema():
    settings = read(GOOD)

    for name, schema in TapTwilio.config_jsonschema["properties"].items():
        if "default" in schema and hasattr(settings, name):
            assert getattr(settings, name) == schema["default"], name


@pytest.mark.parametrize(
    ("filters", "sentence"),
    [
        ({"cals": {"to": "+1"}}, "filters: there is no stream 'cals'; did you mean 'calls'?"),
        ({"calls": {"two": "+1"}}, "filters.calls: the endpoint has no parameter 'two'"),
        ({"calls": {"start_time>": "x"}}, "filters.calls: the endpoint has no parameter"),
    ],
)
def test_filters_name_streams_and_parameters_that_exist(run, small, filters, sentence):
    config = GOOD | {"base_url": small.base_url, "filters": filters}

    output = run(config)

    assert output.exit_code == 1
    assert sentence in output.log
    assert "Traceback" not in output.log


def test_settings_come_from_the_environment(run, small, monkeypatch):
    values = {
        "ACCOUNT_SID": small.account_sid,
        "AUTH_TOKEN": small.auth_token,
        "BASE_URL": small.base_url,
        "MAX_RECORDS": "2",
        "ACCOUNTS": f'["{small.account_sid}"]',
        "FILTERS": '{"calls": {"status": "completed"}}',
        "INCLUDE_SUBACCOUNTS": "true",
        "LOOKBACK_DAYS": "1.5",
    }
    for name, value in values.items():
        monkeypatch.setenv(f"TAP_TWILIO_{name}", value)

    output = run.raw("--config=ENV")

    assert output.exit_code == 0
    assert len(output.records("calls")) == 2
    assert all(record["status"] == "completed" for record in output.records("calls"))


def test_about_describes_every_setting(run):
    about = run.raw("--about", "--format=json").messages[0]

    for name, schema in about["settings"]["properties"].items():
        assert schema.get("description"), name


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("state", "nonsense", "--state: the file is not JSON"),
        ("state", "[]", "--state: the file holds no JSON object"),
        ("state", '{"bookmarks": []}', "--state: this is no state of this tap"),
        (
            "state",
            '{"bookmarks": {"calls": {"partitions": [{"replication_key_value": "whenever"}]}}}',
            "--state: the bookmark 'whenever' of calls is not a date",
        ),
        ("catalog", "{", "--catalog: the file is not JSON"),
        ("catalog", '{"stream": []}', "--catalog: it has no list 'streams'"),
        (
            "catalog",
            '{"streams": [{"tap_stream_id": "cals", "schema": {}}]}',
            "--catalog: there is no stream 'cals'; did you mean 'calls'?",
        ),
    ],
)
def test_catalogs_and_states_that_make_no_sense_are_told(run, small, name, text, sentence):
    path = run.folder / f"bad-{name}.json"
    path.write_text(text)

    output = run(config_for(small), f"--{name}", str(path))

    assert output.exit_code == 1
    assert output.lines == []
    assert sentence in output.log
    assert "Traceback" not in output.log
    assert "Unexpected" not in output.log


@pytest.mark.parametrize("text", ["nonsense", "[1]", "7", None])
def test_a_config_that_makes_no_sense_is_told(run, text):
    path = run.folder / "bad.json"
    if text is not None:
        path.write_text(text)

    output = run.raw("--config", str(path))

    assert output.exit_code == 1
    assert output.lines == []
    assert "--config: " in output.log
    assert "Traceback" not in output.log
