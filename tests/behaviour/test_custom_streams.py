"""Any other endpoint of Twilio's can be read without code, like those that the tap knows."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from datetime import timedelta
from decimal import Decimal

import pytest
from jsonschema import Draft202012Validator

from harness import (
    PATIENCE,
    STREAMS_BY_NAME,
    config_for,
    keyed,
    select,
    truth,
    utc_now,
    wait_until,
)
from sandbox import faults
from tap_twilio.config.hosts import Hosts
from tap_twilio.custom.inference import infer
from tap_twilio.http import pagination
from tap_twilio.http.pagination import ShapeError, decode

ACCOUNT = "/2010-04-01/Accounts/{account_sid}"
ACCOUNT_WIRE = "/2010-04-01/Accounts/{AccountSid}"
CALLS = {"name": "my_calls", "product": "api", "path": f"{ACCOUNT}/Calls.json"}
DATES = {
    "replication_key": "start_time",
    "date_parameters": {"after": "StartTime>", "before": "StartTime<", "undated": True},
}
QUEUES = {"name": "my_queues", "product": "api", "path": f"{ACCOUNT}/Queues.json"}


def read(run, twilio, *declarations, streams=None, state=None, **settings):
    """Read the declared streams alone, without a catalog from before."""
    config = config_for(twilio, custom_streams=list(declarations), **settings)
    catalog = select(discover(run, config), streams or [one["name"] for one in declarations])
    return run(config, catalog=catalog, state=state)


def discover(run, config):
    path = run.folder / "discover.json"
    path.write_text(json.dumps(config))
    return run.raw("--config", str(path), "--discover").messages[0]


def schema_of(catalog, name):
    (entry,) = [one for one in catalog["streams"] if one["tap_stream_id"] == name]
    return entry


def assert_same(output, twilio, custom, name):
    """The custom stream has the rows that the built-in one would, with each of their values."""
    key = STREAMS_BY_NAME[name].primary_keys
    assert output.exit_code == 0, output.log
    got = keyed(output.records(custom), key)
    want = keyed(truth(twilio, STREAMS_BY_NAME[name]), key)
    assert got.keys() == want.keys()
    for identity, row in want.items():
        for field, value in row.items():
            found = got[identity][field]
            assert (found if value is None else type(value)(found)) in (value, ""), field


def assert_valid(output, name):
    validator = Draft202012Validator(
        output.schemas[name]["schema"], format_checker=Draft202012Validator.FORMAT_CHECKER
    )
    for record in output.records(name):
        validator.validate(record)


def asked(twilio, text):
    return [request for request in twilio.requests if text in request.path]


# --- Lists and single objects --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "declared"),
    [
        ("queues", {"url": f"https://api.twilio.com{ACCOUNT_WIRE}/Queues.json"}),
        ("queues", {"product": "api", "path": f"{ACCOUNT}/Queues.json", "page_size": 3}),
        ("studio_flows", {"url": "https://studio.twilio.com/v2/Flows?PageSize=2"}),
        ("studio_flows", {"product": "studio", "path": "/v2/Flows", "data_key": "flows"}),
        (
            "numbers_port_in_requests",
            {
                "product": "numbers",
                "path": "/v1/Porting/PortIn/PortInRequests",
                "params": {"Size": 1},
            },
        ),
        (
            "numbers_short_code_applications",
            {"product": "numbers", "path": "/v2/ShortCodes/Applications", "page_size": 2},
        ),
        (
            "available_phone_number_countries",
            {"product": "api", "path": f"{ACCOUNT}/AvailablePhoneNumbers.json"},
        ),
        ("lookups_rate_limits", {"product": "lookups", "path": "/v2/RateLimits"}),
    ],
)
def test_every_form_of_list_is_read_to_its_end(run, small, name, declared):
    key = list(STREAMS_BY_NAME[name].primary_keys)

    output = read(run, small, {"name": "mine", "key": key, **declared})

    assert len(output.records("mine")) > 1
    assert_same(output, small, "mine", name)
    assert_valid(output, "mine")
    assert output.schemas["mine"]["key_properties"] == key
    assert {row["account_sid"] for row in output.records("mine")} == {
        account.sid for account in small.accounts
    }


def test_one_resource_gives_one_record(run, small):
    row = small.truth("api", f"{ACCOUNT_WIRE}/Calls.json")[0]
    url = f"https://api.twilio.com/2010-04-01/Accounts/{small.account_sid}/Calls/{row['sid']}.json"

    small.requests.reset()
    output = read(run, small, {"name": "one_call", "url": url})

    (record,) = output.records("one_call")
    assert output.exit_code == 0
    assert record["sid"] == row["sid"]
    assert record.keys() == row.keys()
    assert output.schemas["one_call"]["key_properties"] == ["sid"]
    assert {request.account for request in asked(small, row["sid"])} == {small.account_sid}
    assert len(asked(small, row["sid"])) == 2, "once for its fields, once for its row"


def test_one_resource_for_each_account(run, small):
    balance = {"name": "mine", "product": "api", "path": f"{ACCOUNT}/Balance.json"}

    output = read(run, small, balance)

    assert {row["account_sid"]: row["balance"] for row in output.records("mine")} == {
        account.sid: small.truth("api", f"{ACCOUNT_WIRE}/Balance.json", account.sid)[0]["balance"]
        for account in small.accounts
    }
    assert output.schemas["mine"]["key_properties"] == []


def test_one_resource_for_each_record_of_another_stream(run, small):
    declared = {
        "name": "flow_details",
        "product": "studio",
        "path": "/v2/Flows/{FlowSid}",
        "parent": "studio_flows",
    }

    output = read(run, small, declared)

    flows = keyed(truth(small, STREAMS_BY_NAME["studio_flows"]), ["sid"])
    details = keyed(output.records("flow_details"), ["sid"])
    assert details.keys() == flows.keys()
    for record in details.values():
        assert record["flow_sid"] == record["sid"]
        assert record["definition"] == flows[record["sid"],]["definition"]


def test_rows_of_subaccounts_are_read_with_their_own_signature(run, small):
    declared = {"name": "everyone", "url": "https://api.twilio.com/2010-04-01/Accounts.json"}

    output = read(
        run, small, declared, {"name": "mine", "url": "https://studio.twilio.com/v2/Flows"}
    )

    own = {row["account_sid"] for row in output.records("everyone")}
    assert own == {account.sid for account in small.accounts}
    assert len(output.records("mine")) == len(truth(small, STREAMS_BY_NAME["studio_flows"]))
    for secret in small.secrets:
        assert all(secret not in line for line in output.lines)


# --- Parents and children ------------------------------------------------------------------------


def test_children_hang_below_built_in_and_declared_streams(run, small):
    children = [
        {
            "name": "media",
            "product": "api",
            "path": f"{ACCOUNT}/Messages/{{message_sid}}/Media.json",
            "parent": "messages",
        },
        {
            "name": "members",
            "product": "api",
            "path": f"{ACCOUNT}/Queues/{{QueueSid}}/Members.json",
            "parent": "my_queues",
            "key": ["queue_sid", "call_sid"],
        },
        QUEUES,
    ]

    output = read(run, small, *children, streams=["media", "members"])

    assert_same(output, small, "media", "message_media")
    assert_same(output, small, "members", "queue_members")
    assert output.by_stream.keys() == {"media", "members"}


def test_a_parent_may_be_known_by_another_field(run, small):
    declared = {
        "name": "prices",
        "product": "pricing",
        "path": "/v1/Messaging/Countries/{iso_country}",
        "parent": "pricing_messaging_countries",
        "parent_field": "iso_country",
        "key": ["account_sid", "iso_country"],
    }

    output = read(run, small, declared, streams=["prices", "pricing_messaging_prices"])

    assert output.records("prices") == output.records("pricing_messaging_prices") != []


# --- Incremental ---------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["date", "date-time"])
def test_an_incremental_stream_reads_on_from_its_bookmark(run, sandbox, form):
    twilio = sandbox(volumes={"calls": 400}, now=utc_now())
    dates = {**DATES["date_parameters"], "format": form}
    declared = CALLS | DATES | {"date_parameters": dates, "lookback_days": 2}

    first = read(run, twilio, declared)
    assert_same(first, twilio, "my_calls", "calls")
    assert first.schemas["my_calls"]["bookmark_properties"] == ["start_time"]
    for account in twilio.accounts:
        assert first.bookmark("my_calls", account.sid)

    twilio.requests.reset()
    second = read(run, twilio, declared, state=first.state)

    assert 0 < len(second.records("my_calls")) < len(first.records("my_calls")) / 2
    bookmark = first.bookmark("my_calls", twilio.account_sid)
    oldest = min(row["start_time"] for row in second.records("my_calls") if row["start_time"])
    assert oldest < bookmark
    starts = [dict(request.query).get("StartTime>") for request in asked(twilio, "/Calls.json")]
    assert any(starts)
    assert all(len(start) == (10 if form == "date" else 20) for start in starts if start)


def test_new_rows_come_with_the_next_run(run, sandbox):
    twilio = sandbox(volumes={"calls": 400}, now=utc_now())
    declared = (
        CALLS
        | DATES
        | {
            "schema": {
                "properties": {
                    "sid": {"type": "string"},
                    "start_time": {"type": "string", "format": "date-time"},
                }
            }
        }
    )
    first = read(run, twilio, declared, end_date="P20D")

    second = read(run, twilio, declared, state=first.state)

    every = {row["sid"] for row in truth(twilio, STREAMS_BY_NAME["calls"])}
    early, late = ({row["sid"] for row in out.records("my_calls")} for out in (first, second))
    assert early | late == every
    assert early < every
    assert late < every


def test_a_list_below_another_is_read_by_date_with_one_bookmark_an_account(run, sandbox):
    twilio = sandbox(days=45)
    declared = {
        "name": "my_executions",
        "product": "studio",
        "path": "/v2/Flows/{flow_sid}/Executions",
        "parent": "studio_flows",
        "replication_key": "date_created",
        "date_parameters": {
            "after": "DateCreatedFrom",
            "before": "DateCreatedTo",
            "format": "date-time",
        },
    }

    first = read(run, twilio, declared)
    second = read(run, twilio, declared, state=first.state)

    assert_same(first, twilio, "my_executions", "studio_executions")
    partitions = first.state["bookmarks"]["my_executions"]["partitions"]
    assert [one["context"] for one in partitions] == [
        {"account_sid": account.sid} for account in twilio.accounts
    ]
    assert len(second.records("my_executions")) < len(first.records("my_executions")) / 4


def test_a_date_filter_that_does_nothing_is_told(run, small):
    wrong = {"date_parameters": {"after": "CreatedAfter", "before": "CreatedBefore"}}
    start, end = ((small.now - timedelta(days=days)).date().isoformat() for days in (10, 5))

    output = read(run, small, CALLS | DATES | wrong, start_date=start, end_date=end)

    assert output.log.count("Twilio sends rows of other dates than it is asked for") == 1
    assert "custom_streams.0.date_parameters" in output.log
    within = {
        row["sid"]
        for row in truth(small, STREAMS_BY_NAME["calls"])
        if row["start_time"] and start <= row["start_time"] < end
    }
    dated = {row["sid"] for row in output.records("my_calls") if row["start_time"]}
    assert dated == within


# --- Fields --------------------------------------------------------------------------------------


def test_fields_are_told_from_the_rows_unless_a_schema_is_given(run, small):
    schema = {"properties": {"sid": {"type": "string"}, "duration": {"type": "integer"}}}
    config = config_for(small, custom_streams=[CALLS, {**CALLS, "name": "typed", "schema": schema}])

    catalog = discover(run, config)

    told, given = (
        schema_of(catalog, name)["schema"]["properties"] for name in ("my_calls", "typed")
    )
    assert told["sid"] == {"type": "string"}
    assert told["duration"] == {"type": ["string", "null"]}
    assert told["date_created"] == {"type": ["string", "null"], "format": "date-time"}
    assert told["subresource_uris"] == {"type": ["object", "null"]}
    assert given == {
        "sid": {"type": "string"},
        "duration": {"type": ["integer", "null"]},
        "account_sid": {"type": "string"},
    }
    output = run(config, catalog=select(catalog, ["typed"]))
    assert {type(row["duration"]) for row in output.records("typed")} <= {int, type(None)}
    assert all("subresource_uris" in row for row in output.records("typed"))


def test_a_catalog_given_back_is_kept_to(run, small):
    config = config_for(small, custom_streams=[QUEUES])
    catalog = select(discover(run, config), ["my_queues"])
    entry = schema_of(catalog, "my_queues")
    del entry["schema"]["properties"]["uri"]
    entry["schema"]["properties"]["max_size"] = {"type": ["string", "null"]}

    small.requests.reset()
    output = run(config, catalog=catalog)

    assert len(asked(small, "/Queues.json")) == len(small.accounts)
    announced = [message["schema"]["properties"] for message in output.of_type("SCHEMA")]
    assert announced[0] == entry["schema"]["properties"]
    assert announced[1:] == [announced[0] | {"uri": {"type": ["string", "null"]}}]
    assert {type(row["max_size"]) for row in output.records("my_queues")} == {str}
    assert all("uri" in row for row in output.records("my_queues"))


def test_a_run_without_a_catalog_reads_them_too(run, small):
    output = run(config_for(small, custom_streams=[QUEUES], max_records=3))

    assert output.exit_code == 0
    assert len(output.records("my_queues")) == 3 * len(small.accounts)
    assert output.schemas["my_queues"]["schema"] == output.schemas["my_queues"]["schema"]
    assert_valid(output, "my_queues")


def test_a_stream_without_rows_has_its_key_at_least(run, sandbox):
    twilio = sandbox(volumes={"queues": 0, "calls": 0, "messages": 0})
    members = {
        "name": "members",
        "product": "api",
        "path": f"{ACCOUNT}/Queues/{{queue_sid}}/Members.json",
        "parent": "queues",
        "key": ["queue_sid", "call_sid"],
    }
    config = config_for(twilio, custom_streams=[QUEUES | {"key": ["sid"]}, CALLS | DATES, members])
    catalog = discover(run, config)
    assert schema_of(catalog, "my_queues")["schema"]["properties"].keys() == {"sid", "account_sid"}
    assert schema_of(catalog, "my_calls")["schema"]["properties"].keys() == {
        "account_sid",
        "start_time",
    }
    assert schema_of(catalog, "members")["key_properties"] == ["queue_sid", "call_sid"]
    names = ["my_queues", "my_calls", "members"]

    row = {"sid": "QU" + "1" * 32, "size": 5, "date_created": "Fri, 20 Nov 2026 12:00:00 +0000"}
    twilio.add("api", f"{ACCOUNT_WIRE}/Queues.json", row)
    output = run(config, catalog=select(catalog, names))

    assert output.exit_code == 0
    assert output.records("my_queues") == [row | {"account_sid": twilio.account_sid}]
    assert output.schemas.keys() == set(names)


def test_an_endpoint_that_cannot_be_read_spoils_nothing_else(run, small):
    nowhere = {"name": "nowhere", "url": "https://studio.twilio.com/v9/Nothing"}
    small.plan(faults.answer(500), "/Queues.json", times=None)
    try:
        config = config_for(small, custom_streams=[QUEUES, nowhere, CALLS], max_retries=1)
        catalog = select(discover(run, config), ["my_queues", "nowhere", "my_calls"])
        output = run(config, catalog=catalog)
    finally:
        small.clear_plans()

    assert output.exit_code == 1, "what can't be read fails the run at its end"
    assert "my_queues of" in output.log
    assert len(output.records("my_calls")) == len(truth(small, STREAMS_BY_NAME["calls"]))
    assert output.records("nowhere") == []


def test_why_fields_are_not_known_is_said(run, small):
    nowhere = {"name": "nowhere", "url": "https://studio.twilio.com/v9/Nothing"}

    output = run(config_for(small, custom_streams=[nowhere], max_records=1))

    assert "custom_streams.0: the fields of nowhere are unknown (/studio/v9/Nothing" in output.log
    assert "custom_streams.0.schema" in output.log


def test_a_link_to_a_foreign_host_is_not_followed(run, small):
    config = config_for(
        small, custom_streams=[{"name": "mine", "url": "https://studio.twilio.com/v2/Flows"}]
    )
    small.plan(faults.next_link("https://evil.example.com/"), "/v2/Flows")
    try:
        output = run(config, catalog=select(discover(run, config), ["mine"]))
    finally:
        small.clear_plans()

    assert output.exit_code == 1
    assert "a link to the next page leads to 'evil.example.com' instead" in output.log


def test_a_signal_while_fields_are_being_told_keeps_the_state_as_it_is(tmp_path, sandbox):
    twilio = sandbox(page_latency=2 * PATIENCE)
    config, state = tmp_path / "config.json", tmp_path / "state.json"
    config.write_text(json.dumps(config_for(twilio, custom_streams=[QUEUES])))
    state.write_text('{"bookmarks": {}}')
    command = [sys.executable, "-m", "tap_twilio", "--config", str(config), "--state", str(state)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as tap:
        wait_until(lambda: twilio.requests.total, "the request")
        tap.send_signal(signal.SIGTERM)
        out, err = tap.communicate(timeout=PATIENCE)

    assert tap.returncode == 143
    assert out == b"", "a STATE that knows nothing would undo what was read before"
    assert b"Traceback" not in err


def test_types_hold_what_other_rows_have():
    iso, rfc = "2026-11-20T12:00:00.5Z", "Fri, 20 Nov 2026 12:00:00 +0000"
    fields = infer(
        [
            {
                "n": 1,
                "at": iso,
                "on": None,
                "x": 1,
                "o": {"a": 1},
                "m": {},
                "late": iso,
                "d": "2026",
            },
            {
                "n": Decimal("1.5"),
                "at": rfc,
                "on": True,
                "x": "y",
                "o": None,
                "m": [],
                "late": "soon",
            },
            {
                "n": None,
                "at": None,
                "on": False,
                "x": None,
                "empty": None,
                "bad": "2026-13-01T00:00:00Z",
            },
        ]
    )

    text = {"type": ["string", "null"]}
    assert fields == {
        "n": {"type": ["number", "null"]},
        "at": {"type": ["string", "null"], "format": "date-time"},
        "on": {"type": ["boolean", "null"]},
        "x": text,
        "o": {"type": ["object", "null"]},
        "m": text,
        "late": text,
        "d": text,
        "empty": text,
        "bad": text,
    }


def test_a_string_holds_whatever_comes_later(run, sandbox):
    twilio = sandbox(volumes={"queues": 2}, subaccounts=0)
    config = config_for(twilio, custom_streams=[QUEUES])
    catalog = select(discover(run, config), ["my_queues"])
    row = {"sid": "QU" + "1" * 32, "friendly_name": {"en": [1.50]}, "current_size": "many"}
    twilio.add("api", f"{ACCOUNT_WIRE}/Queues.json", row)

    output = run(config, catalog=catalog)

    (record,) = [one for one in output.records("my_queues") if one["sid"] == row["sid"]]
    assert record["friendly_name"] == '{"en":[1.5]}'
    assert record["current_size"] is None
    assert "'current_size' had a value (str) that its type can't hold" in output.log
    assert_valid(output, "my_queues")


@pytest.mark.parametrize("how", ["hash", "drop"])
def test_fields_that_nobody_marked_are_taken_for_personal(run, small, how):
    schema = {
        "properties": {
            "sid": {"type": "string"},
            "friendly_name": {"type": "string", "x-twilio-pii": {"handling": "standard"}},
            "max_size": {"type": "integer"},
        }
    }
    declared = [QUEUES, QUEUES | {"name": "marked", "schema": schema}]

    output = read(run, small, *declared, pii=how, pii_key="a long and random key")

    for row in output.records("my_queues"):
        assert row["sid"].startswith("QU")
        assert row["account_sid"].startswith("AC")
        assert ("max_size" in row) == (how == "hash")
        assert "Z" not in row.get("date_created", "")
    for row in output.records("marked"):
        assert isinstance(row["max_size"], int)
        assert ("friendly_name" in row) == (how == "hash")
    assert_valid(output, "my_queues")
    assert_valid(output, "marked")


# --- Settings ------------------------------------------------------------------------------------


def test_params_are_sent_and_several_values_mean_several_lists(run, small):
    declared = CALLS | {"params": {"Status": ["completed", "busy"], "PageSize": 7}}

    small.requests.reset()
    output = read(run, small, declared)

    assert {row["status"] for row in output.records("my_calls")} == {"completed", "busy"}
    first = [dict(request.query) for request in asked(small, "/Calls.json")]
    assert {query["PageSize"] for query in first} == {"7"}
    filtered = read(run, small, declared, filters={"my_calls": {"status": "busy"}})
    assert {row["status"] for row in filtered.records("my_calls")} == {"busy"}


def test_they_come_from_the_environment(run, small, monkeypatch):
    values = {
        "ACCOUNT_SID": small.account_sid,
        "AUTH_TOKEN": small.auth_token,
        "BASE_URL": small.base_url,
        "MAX_RECORDS": "2",
        "CUSTOM_STREAMS": json.dumps([QUEUES | {"page_size": 5}]),
    }
    for name, value in values.items():
        monkeypatch.setenv(f"TAP_TWILIO_{name}", value)

    output = run.raw("--config=ENV")

    assert output.exit_code == 0
    assert len(output.records("my_queues")) == 2 * len(small.accounts)


@pytest.mark.parametrize(
    ("declared", "sentence"),
    [
        ({"path": "/v2/Flows"}, "custom_streams.0.product: it is required where there is no url"),
        ({"product": "studio"}, "custom_streams.0.path: it is required where there is no url"),
        ({"name": 5}, "custom_streams.0.name: 5 is not of type 'string'"),
        ({"name": "My Flows"}, "custom_streams.0.name: 'My Flows' is not made of small letters"),
        ({"name": "calls"}, "custom_streams.0.name: there is a stream 'calls' already"),
        ({"product": "a.b/c", "path": "/x"}, "custom_streams.0.product: 'a.b/c' is not the first"),
        ({"product": "studio", "path": "v2"}, "custom_streams.0.path: 'v2' is not a path"),
        ({"product": "studio", "path": "//evil.org/x"}, "custom_streams.0.path: '//evil.org/x' is"),
        (
            {"product": "studio", "path": "/v2?x=1"},
            "custom_streams.0.path: '/v2?x=1' is not a path",
        ),
        ({"product": "studio", "path": "/v2/{a"}, "custom_streams.0.path: the braces of '/v2/{a'"),
        (
            {"product": "studio", "path": "/v2/{a.b}"},
            "custom_streams.0.path: 'a.b' is not a placeh",
        ),
        (
            {"product": "studio", "path": "/v2/{flow}"},
            "custom_streams.0.path: nothing gives {flow}",
        ),
        (
            {"product": "api", "path": "/2010-04-01/X"},
            "custom_streams.0.path: '/2010-04-01/X' does",
        ),
        ({"url": "https://evil.org/v2/Flows"}, "custom_streams.0.url: 'evil.org' is not one of"),
        ({"url": "https://twilio.com.evil.org/v2"}, "custom_streams.0.url: 'twilio.com.evil.org'"),
        ({"url": "https://api.twilio.com@evil.org/"}, "custom_streams.0.url: it is not a plain"),
        ({"url": "http://studio.twilio.com/v2"}, "custom_streams.0.url: it is not a plain address"),
        ({"url": "https://studio.twilio.com:8443/v2"}, "custom_streams.0.url: it is not a plain"),
        ({"url": "https://a.b.c.twilio.com/v2"}, "custom_streams.0.url: 'a.b.c.twilio.com' is not"),
        ({"url": "https://[/v2"}, "custom_streams.0.url: "),
        ({"url": "https://s.twilio.com/v", "path": "/v"}, "custom_streams.0.path: give either url"),
        ({"parent": "flws"}, "custom_streams.0.parent: there is no stream 'flws'"),
        ({"lookback_days": 99999}, "custom_streams.0.lookback_days: 99999 is greater than the"),
        ({"parent": "mine"}, "custom_streams.0.parent: 'mine' is its own ancestor"),
        ({"parent": "calls"}, "custom_streams.0.url: it has no placeholder that records of calls"),
        (
            {
                "product": "studio",
                "path": "/v2/{flow_sid}",
                "parent": "calls",
                "parent_field": "id",
            },
            "custom_streams.0.parent_field: records of calls have no field 'id'; did you",
        ),
        ({"parent_field": "sid"}, "custom_streams.0.parent: it is required beside parent_field"),
        ({"replication_key": "x"}, "custom_streams.0.date_parameters: it is required beside"),
        (
            {"date_parameters": {"after": "a", "before": "b"}},
            "custom_streams.0.replication_key: it is required beside date_parameters",
        ),
        (
            {"date_parameters": {"after": "a"}},
            "custom_streams.0.date_parameters: 'before' is a req",
        ),
        (
            {"product": "studio", "path": "/v2/{call_sid}", "parent": "calls"} | DATES,
            "custom_streams.0.date_parameters: records of calls are read by date",
        ),
        ({"schema": {"sid": {}}}, 'custom_streams.0.schema: it has no object "properties"'),
        (
            {"schema": {"properties": {"sid": {"type": "text"}}}},
            "custom_streams.0.schema.properties.sid.type: 'text' is not valid under any",
        ),
        (
            {"schema": {"properties": {"start_time": {"type": "string"}}}} | DATES,
            "custom_streams.0.schema: its property 'start_time', the replication key, needs",
        ),
        (
            {"schema": {"properties": {"sid": {"type": "string"}}}, "key": ["sidd"]},
            "custom_streams.0.key: the schema has no property 'sidd'; did you mean 'sid'?",
        ),
        ({"params": {"a": {"b": 1}}}, "custom_streams.0.params.a: {'b': 1} is not of type"),
        ({"page_size": 0}, "custom_streams.0.page_size: 0 is less than the minimum of 1"),
        ({"nam": "x"}, "custom_streams.0: Additional properties are not allowed ('nam' was"),
    ],
)
def test_each_mistake_is_named_and_nothing_is_asked(run, sandbox, declared, sentence):
    base = {} if {"path", "product"} & declared.keys() else {"url": "https://studio.twilio.com/v2"}
    # One of its own: another test's requests may still be under way.
    twilio = sandbox(subaccounts=0)
    config = config_for(twilio, custom_streams=[{"name": "mine", **base, **declared}])
    path = run.folder / "bad.json"
    path.write_text(json.dumps(config))

    output = run(config)
    assert output.exit_code == 1
    assert output.lines == []
    assert sentence in output.log, output.log
    assert "Traceback" not in output.log
    assert twilio.requests.total == 0


def test_two_streams_cannot_have_one_name(run, small):
    output = run(config_for(small, custom_streams=[QUEUES, CALLS | {"name": "my_queues"}]))

    assert output.exit_code == 1
    assert "custom_streams.1.name: there is a stream 'my_queues' already: custom_streams.0" in (
        output.log
    )


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ({"key": ["sidd"]}, "custom_streams.0.key: the rows of mine have no field 'sidd'; did you"),
        (
            DATES | {"replication_key": "started"},
            "custom_streams.0.replication_key: the rows of mine have no field 'started'",
        ),
    ],
)
def test_fields_that_no_row_has_are_told(run, small, setting, sentence):
    output = run(config_for(small, custom_streams=[CALLS | {"name": "mine"} | setting]))

    assert output.exit_code == 1
    assert output.lines == []
    assert sentence in output.log
    assert "Traceback" not in output.log


def test_regions_are_those_of_the_settings():
    hosts = Hosts(region="ie1")
    for host in ("studio", "studio.dublin.ie1"):
        assert hosts.locate(f"https://{host}.twilio.com/v2/Flows?a=1") == (
            "studio",
            "/v2/Flows",
            "a=1",
        )
    with pytest.raises(ValueError, match="not one of Twilio's hosts"):
        hosts.locate("https://studio.sydney.au1.twilio.com/v2/Flows")
    gateway = Hosts(base_url="https://gateway.example.org/twilio")
    assert gateway.locate("https://gateway.example.org/twilio/api/x")[:2] == ("api", "/x")
    with pytest.raises(ValueError, match="not one of Twilio's hosts"):
        gateway.locate("https://gateway.example.org/elsewhere/x")


def test_mistakes_are_told_at_discovery_too(run):
    path = run.folder / "config.json"
    path.write_text(json.dumps({"custom_streams": [QUEUES]}))

    output = run.raw("--config", str(path), "--discover")

    assert output.exit_code == 1
    assert output.lines == []
    assert "account_sid: it is required" in output.log


# --- Pages ---------------------------------------------------------------------------------------


def read_any(payload, data_key=None):
    return pagination.read("any", json.dumps(payload).encode(), data_key)


@pytest.mark.parametrize(
    ("payload", "rows", "link", "more"),
    [
        ({"next_page_uri": "/x", "rows": [{"a": 1}]}, [{"a": 1}], "/x", None),
        ({"meta": {"key": "b", "next_page_url": None}, "a": [], "b": [{}]}, [{}], None, None),
        ({"meta": {"key": None, "next_page_url": "u"}, "a": [{}]}, [{}], "u", None),
        ({"meta": {"key": "c", "next_page_url": None}, "a": [], "x": 1}, [], None, None),
        ({"meta": {"nextToken": "t"}, "a": [{}]}, [{}], None, {"pageToken": "t"}),
        ({"pagination": {"next": "t"}, "a": [{}]}, [{}], None, {"pageToken": "t"}),
        ({"pagination": {"next": None}, "a": []}, [], None, None),
        ({"has_next": True, "current_page": 1, "a": [{}]}, [{}], None, {"Page": "2"}),
        ({"schemas": ["urn"], "totalResults": 1, "Resources": [{}]}, [{}], None, None),
        ({"limits": [{}], "url": "u"}, [{}], None, None),
        ({"limits": []}, [], None, None),
        ({"sid": "s", "rules": [{}]}, [{"sid": "s", "rules": [{}]}], None, None),
        ({"meta": {"about": 1}, "sid": "s"}, [{"meta": {"about": 1}, "sid": "s"}], None, None),
        ({}, [{}], None, None),
    ],
)
def test_a_page_tells_its_form(payload, rows, link, more):
    listing = read_any(payload)

    assert (decode(listing.rows), listing.link, listing.more) == (rows, link, more)


def test_a_data_key_settles_what_a_page_leaves_open():
    listing = read_any({"sid": "s", "rules": [{"a": 1}]}, "rules")

    assert decode(listing.rows) == [{"a": 1}]
    with pytest.raises(ShapeError, match="2 arrays of objects instead of one; data_key tells"):
        read_any({"next_page_uri": None, "a": [{}], "b": [{}]})
