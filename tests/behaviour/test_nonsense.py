"""Nonsense on the way in: whatever a setting holds, the tap runs, or names it in one line."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from singer_sdk.exceptions import ConfigValidationError

from harness import catalog_of, config_for, select
from tap_twilio.config import checks, inputs, settings
from tap_twilio.config.schema import SCHEMA
from tap_twilio.http.errors import TapError
from tap_twilio.tap import TapTwilio

GOOD = {"account_sid": "AC" + "a" * 32, "auth_token": "token-token-token", "max_retries": 0}
SID = "AC" + "b" * 32
KEY = {"api_key_sid": "SK" + "c" * 32, "api_key_secret": "secret-secret"}
DEEP = "[" * 60 + "]" * 60
TapTwilio.append_builtin_config(TapTwilio.config_jsonschema)
NAMES = sorted(TapTwilio.config_jsonschema["properties"])


def assert_named(output, *names, errors=1):
    """The run ended with a line for each mistake, which names it, and did nothing else."""
    said = [line for line in output.log.splitlines() if line.startswith(("ERROR", "CRITICAL"))]
    assert output.exit_code == 1, output.log
    assert output.lines == []
    assert len(said) == errors, said
    for name in names:
        assert any(name in line for line in said), said
    for word in ("Traceback", "Unexpected", "Beginning"):
        assert word not in output.log


# --- Settings ------------------------------------------------------------------------------------

WITHOUT = object()

SETTINGS = [
    # What stands for a SID or a secret in examples, or was copied badly.
    ({"account_sid": "AC…"}, "account_sid: an account's SID is AC and 32"),
    ({"account_sid": "AC" + "x" * 32}, "account_sid: an account's SID is AC and 32"),
    ({"account_sid": "AC" + "a" * 31}, "account_sid: an account's SID is AC and 32"),
    ({"account_sid": "AC" + "a" * 32 + "\n"}, "account_sid: an account's SID is AC and 32"),
    ({"account_sid": "AC" + "a" * 28 + "/../"}, "account_sid: an account's SID is AC and 32"),
    ({"account_sid": 5}, "account_sid: 5 is not of type"),
    ({"auth_token": "…"}, "auth_token: it is too long, or has"),
    ({"auth_token": "token-token\n"}, "auth_token: it is too long, or has"),
    ({"auth_token": "token token"}, "auth_token: it is too long, or has"),
    ({"auth_token": "t" * 5000}, "auth_token: it is too long, or has"),
    ({"auth_token": WITHOUT, **KEY, "api_key_sid": "SK…"}, "api_key_sid: an API key's SID is SK"),
    ({"auth_token": WITHOUT, **KEY, "api_key_secret": "é"}, "api_key_secret: it is too long, or"),
    (
        {"subaccount_credentials": {"AC…": {"auth_token": "token"}}},
        "subaccount_credentials.AC…: an",
    ),
    (
        {"subaccount_credentials": {SID: {"auth_token": None}}},
        f"subaccount_credentials.{SID}.auth_token: it is required",
    ),
    (
        {"subaccount_credentials": {SID: {"auth_token": "é"}}},
        f"subaccount_credentials.{SID}.auth_token: it is too long, or has",
    ),
    # Where credentials would go.
    ({"edge": "evil.com/"}, "edge: 'evil.com/' is not the name of an edge"),
    ({"edge": "evil.com"}, "edge: 'evil.com' is not"),
    ({"edge": "dublin\n"}, "edge: 'dublin\\n' is not"),
    ({"edge": "Dublin"}, "edge: 'Dublin' is not"),
    ({"edge": "-"}, "edge: '-' is not"),
    ({"edge": "a" * 64}, "edge: 'aaa"),
    ({"region": "evil.com/"}, "region: 'evil.com/' is not one of"),
    ({"base_url": "http://:password@127.0.0.1"}, "base_url: it is not an address"),
    ({"base_url": "http://user@127.0.0.1"}, "base_url: it is not an address"),
    ({"base_url": "http://@127.0.0.1"}, "base_url: it is not an address"),
    ({"base_url": "http://127.0.0.1:99999"}, "base_url: it is not an address"),
    ({"base_url": "http://127.0.0.1:abc"}, "base_url: it is not an address"),
    ({"base_url": "http://127.0.0.1:-1"}, "base_url: it is not an address"),
    ({"base_url": "http://127.0.0.1:0"}, "base_url: it is not an address"),
    ({"base_url": "http://127.0.0.1:"}, "base_url: it is not an address"),
    ({"base_url": "http://127.0.0.1#part"}, "base_url: it is not an address"),
    ({"base_url": "http://127.0.0.1/#"}, "base_url: it is not an address"),
    ({"base_url": "http://127.0.0.1/?"}, "base_url: it is not an address"),
    ({"base_url": "http://127.0.0.1\\@evil.com"}, "base_url: it is not an address"),
    ({"base_url": "http://[::1"}, "base_url: it is not an address"),
    ({"base_url": "http://[]"}, "base_url: it is not an address"),
    ({"base_url": "http://"}, "base_url: it is not an address"),
    ({"base_url": "http://127.0.0.1\n"}, "base_url: it is not an address"),
    ({"base_url": " http://127.0.0.1"}, "base_url: it is not an address"),
    ({"base_url": "http://a..b"}, "base_url: it is not an address"),
    ({"base_url": "http://" + "a" * 64}, "base_url: it is not an address"),
    ({"base_url": "http://tw…"}, "base_url: it is not an address"),
    ({"base_url": "http://" + "a" * 5000 + "!"}, "base_url: it is not an address"),
    # Dates that can't be meant, and those at the ends of the calendar.
    ({"start_date": "0226-01-01"}, "start_date: '0226-01-01' is before 2008"),
    ({"start_date": "2000-01-01T00:00:00Z"}, "start_date: '2000-01-01T00:00:00Z' is before 2008"),
    ({"start_date": "P100Y"}, "start_date: 'P100Y' is before 2008"),
    ({"start_date": "P9999Y"}, "start_date: 'P9999Y' is not a date"),
    ({"start_date": "P" + "9" * 400 + "D"}, "start_date: 'P999"),
    # The reason is told however long the value is.
    ({"start_date": "9" * 5000}, "9' is not a date (2026-01-31)"),
    ({"edge": "a" * 5000}, "a' is not the name of an edge"),
    ({"start_date": "0001-01-01T00:00:00+12:00"}, "start_date: '0001-01-01T00:00:00+12:00' is not"),
    ({"start_date": "2206-01-01"}, "start_date: '2206-01-01' is after 20"),
    ({"end_date": "0226-01-01"}, "end_date: '0226-01-01' is before 2008"),
    ({"end_date": "2206-01-01"}, "end_date: '2206-01-01' is after 20"),
    ({"end_date": "9999-12-31T23:59:59Z"}, "end_date: '9999-12-31T23:59:59Z' is after 20"),
    ({"end_date": "9999-12-31T23:59:59-12:00"}, "end_date: '9999-12-31T23:59:59-12:00' is not"),
    # Numbers that are none, or too large to work with.
    *(
        ({name: value}, f"{name}: {value} is not a number that can be worked with")
        for name in ("lookback_days", "request_timeout", "retry_delay", "page_size", "max_records")
        for value in (math.nan, math.inf, -math.inf)
    ),
    ({"lookback_days": 1e9}, "lookback_days: 1000000000.0 is greater than the maximum"),
    ({"request_timeout": 10**400}, "request_timeout: 1000000"),
    ({"retry_delay": 10**400}, "retry_delay: 1000000"),
    ({"page_size": 10**400}, "page_size: 1000000"),
    ({"page_size": True}, "page_size: True is not of type"),
    # What would read, or show, more than was meant.
    ({"accounts": []}, "accounts: it names none"),
    ({"accounts": [""]}, "accounts.0: ''"),
    ({"pii_key": "a long key"}, "pii_key: it is of no use as long as pii is not hash"),
    ({"pii": "keep", "pii_key": "a long key"}, "pii_key: it is of no use"),
    *(({name: ""}, f"{name}: it is empty") for name in NAMES if name not in settings.MAY_BE_EMPTY),
    # Filters.
    ({"filters": {"calls": {"to": None}}}, "filters.calls.to: None is not of type"),
    ({"filters": {"calls": {"to": {}}}}, "filters.calls.to: {} is not of type"),
    ({"filters": {"calls": {"to": []}}}, "filters.calls.to: []"),
    ({"filters": {"calls": {"to": ""}}}, "filters.calls.to: an empty value filters nothing"),
    ({"filters": {"calls": {"to": ["a", ""]}}}, "filters.calls.to: an empty value"),
    ({"filters": {"calls": {"to": [["a"]]}}}, "filters.calls.to.0: ['a'] is not of type"),
    ({"filters": {"calls": {"to": [None]}}}, "filters.calls.to.0: None is not of type"),
    ({"filters": {"calls": {"to": math.nan}}}, "filters: nan is not a number"),
    ({"filters": {"calls": {"status": ["busy", "busy"]}}}, "filters.calls.status: 'busy' comes"),
    ({"filters": {"calls": {"to": [1, "1"]}}}, "filters.calls.to: '1' comes twice"),
    ({"filters": {"calls": None}}, "filters.calls: None is not of type"),
    (
        {"filters": {"cals": {"to": "1"}}},
        "filters: there is no stream 'cals'; did you mean 'calls'",
    ),
    ({"filters": {"calls": {"two": "1"}}}, "filters.calls: the endpoint has no parameter 'two'"),
    # The SDK's own.
    ({"stream_maps": {"cals": None}}, "stream_maps.cals: there is no stream 'cals'; did you mean"),
    ({"stream_maps": {"cal?": {}, "c?lls": {}}}, "stream_maps.cal?: there is no stream 'cal?'"),
    ({"stream_maps": {"mine": {"__source__": "cals"}}}, "stream_maps.mine: there is no stream"),
    ({"stream_maps": {"__filter__": "x"}}, "stream_maps"),
    ({"stream_maps": {"__else__": 5}}, "stream_maps.__else__: 5 is not valid"),
    ({"stream_maps": {"calls": {"__else__": 5}}}, "stream_maps.calls: "),
    ({"stream_maps": {"calls": {"x": ""}}}, "stream_maps: they make no sense"),
    ({"stream_maps": {"calls": {"x": "1 +"}}}, "stream_maps: they make no sense"),
    ({"stream_maps": {"calls": {"sid": None}}}, "stream_maps: they make no sense"),
    ({"flattening_enabled": True}, "flattening_max_depth is required"),
    # What is no text, or nested without end.
    ({"accounts": ["\ud83d"]}, "accounts: it has half of a character"),
    ({"filters": {"\ud83d": {}}}, "filters: it has half of a character"),
    ({"stream_map_config": json.loads(f'{{"a": {DEEP}}}')}, "stream_map_config: it is nested too"),
    (
        {"custom_streams": [{"name": "a", "schema": json.loads(f'{{"a": {DEEP}}}')}]},
        "custom_streams: it is nested too deeply",
    ),
    # Declarations.
    (
        {"custom_streams": [{"name": "a", "product": "studio", "path": "/v2/\x00"}]},
        "custom_streams.0.path: '/v2/\\x00' is not a path",
    ),
    (
        {"custom_streams": [{"name": "a", "url": "https://studio.twilio.com/v2?A=1&A=1"}]},
        "custom_streams.0.params.A: '1' comes twice",
    ),
    (
        {"custom_streams": [{"name": "a", "url": "https://:pw@studio.twilio.com/v2/Flows"}]},
        "custom_streams.0.url: it is not a plain address",
    ),
    ({"custom_streams": [{"name": "a", "url": "https://[::1/v2"}]}, "custom_streams.0.url: "),
    ({"stream_maps": {"calls": {"x": "(" * 6000}}}, "stream_maps: they make no sense"),
]


@pytest.mark.parametrize(("change", "sentence"), SETTINGS)
def test_a_setting_that_makes_no_sense_is_named_in_one_line(run, change, sentence):
    config = {name: value for name, value in (GOOD | change).items() if value is not WITHOUT}

    output = run(config)

    assert_named(output, sentence)
    assert all(len(line) < 2 * checks.LONGEST + 100 for line in output.log.splitlines())


def test_expressions_that_fail_at_a_record_name_the_setting_and_no_value(run, small):
    for expression in ("nowhere + 1", "int(sid)"):
        config = config_for(small, stream_maps={"calls": {"x": expression}})

        output = run(config, streams=["calls"])

        assert output.exit_code == 1
        (error,) = [line for line in output.log.splitlines() if line.startswith("ERROR")]
        assert "stream_maps: they can't be applied to calls" in error
        assert "CA" not in error


@pytest.mark.parametrize(
    "maps",
    [
        {"calls": {"seconds": "duration"}, "__else__": None},
        {"call*": {"__alias__": "rang"}},
        {"mine": {"__source__": "calls"}},
        {"mine": {"__source__": "c?lls"}},
        {"queues": "__NULL__"},
    ],
)
def test_stream_maps_of_streams_that_there_are_go_on_working(run, small, maps):
    output = run(config_for(small, stream_maps=maps), streams=["calls"])

    assert output.exit_code == 0
    assert output.of_type("RECORD")


def test_an_address_may_have_a_path_a_port_and_any_host():
    for url in (
        "http://localhost:8400/gate/way",
        "https://[::1]:8400",
        "HTTP://a-b.example.com./~x/",
    ):
        settings.parse(
            GOOD | {"base_url": url},
            properties=SCHEMA["properties"],
            user_agent="",
            now=settings.now_utc(),
        )


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers().map(lambda number: number * 10**300)
    | st.floats()
    | st.text(st.characters(), max_size=20)
    | st.sampled_from(["AC" + "a" * 32, "P1D", "9999-12-31T23:59:59-14:00", "http://h", "hash"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=8) | st.sampled_from(["calls", "to", "name"]), inner)
    ),
    max_leaves=6,
)


@given(name=st.sampled_from(NAMES), value=JSON)
@example("lookback_days", "nan")
@example("custom_streams", [{"name": "a", "url": "https://studio.twilio.com:abc/v2"}])
def test_any_value_of_any_setting_makes_sense_or_is_named(name, value):
    told: list[str] = [name]
    try:
        TapTwilio(config=GOOD | {name: value}, setup_mapper=False)
    except ConfigValidationError as error:
        told = error.errors

    assert told
    assert all(name in sentence for sentence in told), told
    assert all(len(sentence) < 2 * checks.LONGEST for sentence in told)


# --- The environment -----------------------------------------------------------------------------

ENVIRONMENT = [
    ("PII", "", "pii: it is empty"),
    ("PII", "nope", "pii: 'nope' is not one of"),
    ("INCLUDE_SUBACCOUNTS", "nope", "include_subaccounts: 'nope' is not of type"),
    ("INCLUDE_SUBACCOUNTS", "", "include_subaccounts: it is empty"),
    ("SKIP_UNCHANGED", "flase", "skip_unchanged: 'flase' is not of type"),
    ("ACCOUNTS", "", "accounts: it is empty"),
    ("ACCOUNTS", "[]", "accounts: it names none"),
    ("ACCOUNTS", "[1", "accounts: '[1' is not of type"),
    ("MAX_RECORDS", "", "max_records: it is empty"),
    ("MAX_RECORDS", "ten", "max_records: 'ten' is not of type"),
    ("MAX_RECORDS", "9" * 5000, "max_records: '999"),
    ("FILTERS", "", "filters: it is empty"),
    ("FILTERS", "{", "filters: '{' is not of type"),
    ("FILTERS", "[" * 100_000, "filters: '[[["),
    ("FILTERS", "null", None),
    ("END_DATE", "", "end_date: it is empty"),
    ("START_DATE", "", "start_date: it is empty"),
    ("LOOKBACK_DAYS", "nan", "lookback_days: nan is not a number"),
    ("LOOKBACK_DAYS", "1e999", "lookback_days: inf is not a number"),
    ("CUSTOM_STREAMS", "a,b", "custom_streams: 'a,b' is not of type"),
    ("REGION", "", "region: it is empty"),
    ("BASE_URL", "", "base_url: it is empty"),
    ("STREAM_MAPS", "", "stream_maps: it is empty"),
    ("PII_KEY", "", None),
    ("API_KEY_SID", "", None),
    ("INCLUDE_SUBACCOUNTS", "No", None),
    ("PAGE_SIZE", "20", None),
    ("ACCOUNTS", "Main account,Marketing", None),
]


@pytest.mark.parametrize("case", ENVIRONMENT)
def test_the_environment_fails_closed(run, small, monkeypatch, case):
    name, value, sentence = case
    for setting, good in config_for(small).items():
        monkeypatch.setenv(f"TAP_TWILIO_{setting.upper()}", str(good))
    monkeypatch.setenv(f"TAP_TWILIO_{name}", value)

    output = run.raw("--config=ENV", "--test=connection")

    if sentence is not None:
        assert_named(output, sentence)
    elif name != "ACCOUNTS":
        assert output.exit_code == 0
    else:
        assert "accounts: no account is called 'Marketing'" in output.log


# --- The command line ----------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["--test", "--test=records", "--test=schema", "--discover"])
@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"start_date": "whenever"}, "start_date: 'whenever' is not a date"),
        ({"filters": {"cals": {}}}, "filters: there is no stream 'cals'"),
        ({"custom_streams": [{"name": "calls"}]}, "custom_streams.0"),
        ({"pii": "nope"}, "pii: 'nope' is not one of"),
        ({"stream_maps": {"cals": None}}, "stream_maps.cals"),
    ],
)
def test_whatever_is_asked_for_wrong_settings_are_told(run, command, change, sentence):
    path = run.folder / "config.json"
    path.write_text(json.dumps(GOOD | change))

    output = run.raw("--config", str(path), command)

    assert output.exit_code == 1
    assert output.lines == []
    assert sentence in output.log
    assert "Traceback" not in output.log


def test_the_connection_is_tested_with_settings_that_make_sense(run, small):
    path = run.folder / "config.json"
    path.write_text(json.dumps(config_for(small, start_date="whenever")))

    assert_named(run.raw("--config", str(path), "--test=connection"), "start_date: 'whenever'")


@pytest.mark.parametrize("command", ["--test", "--test=records", "--test=schema"])
def test_without_settings_a_test_says_what_is_missing(run, command):
    assert_named(run.raw(command), "account_sid: it is required", "auth_token: it", errors=2)


def test_a_test_that_there_is_not_is_refused(run, small):
    path = run.folder / "config.json"
    path.write_text(json.dumps(config_for(small)))

    assert_named(run.raw("--config", str(path), "--test=foo"), "--test: there is no test 'foo'")


def test_schemas_are_told_without_a_request(run, small):
    path = run.folder / "config.json"
    path.write_text(json.dumps(config_for(small)))
    small.requests.reset()

    output = run.raw("--config", str(path), "--test=schema")

    assert output.exit_code == 0
    assert set(output.schemas) == set(TapTwilio(config=GOOD).streams)
    assert small.requests.total == 0


@pytest.mark.parametrize("command", ["--test", "--test=records"])
def test_records_are_asked_for(run, small, command):
    path = run.folder / "config.json"
    path.write_text(json.dumps(config_for(small, auth_token="mistyped-token-value")))

    output = run.raw("--config", str(path), command)

    assert output.exit_code == 1
    assert "Twilio refused to sign in" in output.log
    assert "Traceback" not in output.log


def test_discovery_needs_no_credentials(run):
    path = run.folder / "config.json"
    path.write_text(json.dumps({"include_subaccounts": True, "page_size": 20}))

    for options in ((), ("--config", str(path))):
        (catalog,) = run.raw(*options, "--discover").messages
        assert catalog["streams"]


# --- Files ---------------------------------------------------------------------------------------

FILES = {
    "nothing": (b"", "the file is not JSON"),
    "half": (b'{"account_sid"', "the file is not JSON"),
    "a list": (b"[]", "the file holds no JSON object"),
    "pairs": (b'[["account_sid", "AC"]]', "the file holds no JSON object"),
    "null": (b"null", "the file holds no JSON object"),
    "a text": (b'"x"', "the file holds no JSON object"),
    "in no encoding": (b'{"\xff": 1}', "the file is not JSON"),
    "nested without end": (b"[" * 200_000, "the file is not JSON"),
    "nested deeply": (b'{"x": ' + b"[" * 300 + b"]" * 300 + b"}", "the file is nested too deeply"),
    "a number without end": (b'{"x": ' + b"9" * 5000 + b"}", "the file is not JSON"),
    "a key twice": (b'{"x": {"account_sid": 1, "account_sid": 2}}', "'account_sid' stands twice"),
}


@pytest.mark.parametrize("option", ["config", "state", "catalog"])
@pytest.mark.parametrize("name", FILES)
def test_files_that_make_no_sense_are_named(run, small, tmp_path, option, name):
    content, sentence = FILES[name]
    good, bad = tmp_path / "config.json", tmp_path / "bad.json"
    good.write_text(json.dumps(config_for(small)))
    bad.write_bytes(content)

    output = run.raw("--config", str(good), f"--{option}", str(bad))

    assert_named(output, f"--{option}: ")
    assert sentence in output.log


def test_a_config_that_cannot_be_read_is_named(run, tmp_path):
    for path in (tmp_path, tmp_path / "nowhere.json"):
        assert_named(run.raw("--config", str(path)), f"'{path}'")


@pytest.mark.parametrize("option", ["state", "catalog"])
@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_numbers_that_json_has_not_are_none_of_a_state_or_catalog(run, small, option, number):
    good, bad = run.folder / "config.json", run.folder / "bad.json"
    good.write_text(json.dumps(config_for(small)))
    bad.write_text(f'{{"x": {number}}}')

    output = run.raw("--config", str(good), f"--{option}", str(bad))

    assert_named(output, f"--{option}: the file is not JSON ({number} is no number")


def test_a_config_with_a_byte_order_mark_is_one(run, small):
    path = run.folder / "config.json"
    path.write_text(json.dumps(config_for(small)), encoding="utf-8-sig")

    assert run.raw("--config", str(path), "--test=connection").exit_code == 0


def test_so_are_a_catalog_and_a_state(run, small):
    config, arguments = run.folder / "config.json", []
    config.write_text(json.dumps(config_for(small)))
    for option, content in (("catalog", catalog_of(["queues"])), ("state", {"bookmarks": {}})):
        path = run.folder / f"{option}.json"
        path.write_text(json.dumps(content), encoding="utf-8-sig")
        arguments += [f"--{option}", str(path)]

    output = run.raw("--config", str(config), *arguments)

    assert output.exit_code == 0
    assert output.records("queues")


# --- Catalogs and states -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def entry():
    catalog = json.loads(TapTwilio(config=GOOD).catalog_json_text)
    (calls,) = [one for one in catalog["streams"] if one["tap_stream_id"] == "calls"]
    calls["schema"]["properties"] = {"sid": calls["schema"]["properties"]["sid"]}
    calls["metadata"] = calls["metadata"][:2]
    return calls


@pytest.mark.parametrize(
    "change",
    [
        {"schema": None},
        {"schema": {"properties": {"sid": {"type": 5}}}},
        {"schema": {"properties": {"sid": {"type": [[]]}}}},
        {"stream": "other"},
        {"stream": [5]},
        {"metadata": [{"breadcrumb": [[]], "metadata": {}}]},
    ],
)
def test_catalogs_that_make_no_sense_are_named(run, small, entry, change):
    catalog = select({"streams": [{**entry, **change, "metadata": entry["metadata"]}]}, ["calls"])
    catalog["streams"][0] |= change

    output = run(config_for(small), catalog=catalog)

    assert_named(output, f"--catalog: the {next(iter(change))} of calls is none")


def test_a_stream_that_is_in_a_catalog_twice_is_named(run, small, entry):
    catalog = {"streams": [entry, entry]}

    assert_named(run(config_for(small), catalog=catalog), "--catalog: 'calls' is there twice")


DATES = st.sampled_from(["2026-01-01", "2026-01-01T00:00:00+02:00", "0226-01-01", "9999-12-31"])
ACCOUNTS = st.sampled_from([{"account_sid": GOOD["account_sid"]}, {"account_sid": SID}])
PARTITIONS = st.lists(
    st.fixed_dictionaries(
        {"context": ACCOUNTS | JSON},
        optional={
            "replication_key": st.just("start_time") | JSON,
            "replication_key_value": DATES | JSON,
            "undated_since": DATES | JSON,
            "refused": st.dictionaries(st.text(max_size=3), st.just("CA1") | JSON) | JSON,
            "progress_markers": JSON,
            "other": JSON,
        },
    )
    | JSON,
    max_size=3,
)


@given(partitions=PARTITIONS | JSON)
@example([{"context": {"account_sid": SID}}, {"context": {"account_sid": SID}}])
def test_any_state_makes_sense_or_is_refused(partitions):
    state = {"bookmarks": {"calls": {"partitions": partitions}}}
    try:
        inputs.understand(state, {"calls": "start_time"}, settings.now_utc())
    except TapError as error:
        assert str(error).startswith("--state: ")  # noqa: PT017 - or there is none
        return

    kept = state["bookmarks"]["calls"]["partitions"]
    known = {"context", "replication_key", "replication_key_value", "undated_since", "refused"}
    accounts = [one["context"]["account_sid"] for one in kept if one["context"] is not None]
    assert len(accounts) == len(set(accounts))
    for one in kept:
        assert one.keys() <= known
        assert ("replication_key" in one) == ("replication_key_value" in one)
        for name in one.keys() & {"replication_key_value", "undated_since"}:
            assert "2008" <= one[name][:4] <= "2027"
