"""Personal data: hashed or dropped on demand, wherever it is marked, and nowhere told."""

from __future__ import annotations

import hashlib
import hmac
import json
import re

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from harness import (
    SCHEMAS,
    STREAMS_BY_NAME,
    LogKeeper,
    Runner,
    assert_complete,
    config_for,
    keyed,
    truth,
    utc_now,
    wire_path,
)
from sandbox import Sandbox, faults
from tap_twilio.resource.schemas import PII_MARK

KEY = "a key that nobody else has"
HASHES = {"pii": "hash", "pii_key": KEY}
DROPS = {"pii": "drop"}
HASH = re.compile(r"[0-9a-f]{64}")


def hashed(value):
    """The documented hash, written a second time."""
    text = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
    return hmac.new(KEY.encode(), text.encode(), hashlib.sha256).hexdigest()


def properties_of(name):
    stream = STREAMS_BY_NAME[name]
    return json.loads((SCHEMAS / stream.product / f"{name}.json").read_text())["properties"]


def masked_fields(name):
    """Fields that are masked as a whole, as the schema file and the README have it."""
    keys = STREAMS_BY_NAME[name].primary_keys
    return {
        field
        for field, schema in properties_of(name).items()
        if PII_MARK in schema and field not in keys and not field.endswith("sid")
    }


# --- What comes out ----------------------------------------------------------------------------


def test_kept_by_default(run, small):
    output = run(config_for(small), streams=["calls", "messages"])

    assert_complete(output, small, "calls", "messages")


def test_hashes_are_keyed_and_leave_the_rest_alone(run, small):
    output = run(config_for(small, **HASHES), streams=["calls", "messages"])

    assert output.exit_code == 0
    for name, personal in {"calls": {"to", "from"}, "messages": {"to", "from", "body"}}.items():
        assert personal <= masked_fields(name)
        got = keyed(output.records(name), ["sid"])
        want = keyed(truth(small, STREAMS_BY_NAME[name]), ["sid"])
        assert got.keys() == want.keys()
        for sid, row in want.items():
            for field in masked_fields(name) & row.keys():
                row[field] = None if row[field] is None else hashed(row[field])
            assert got[sid] == row


def test_equal_values_join_across_streams_and_runs(run, sandbox):
    twilio = sandbox(volumes={"calls": 20, "messages": 20}, subaccounts=0)
    (call, *_), (message, *_) = (truth(twilio, STREAMS_BY_NAME[n]) for n in ("calls", "messages"))
    for row in (call, message):
        twilio.patch(row["sid"], to="+15005550006")

    both = run(config_for(twilio, **HASHES), streams=["calls", "messages"])
    again = run(config_for(twilio, **HASHES), streams=["messages"])
    other = run(config_for(twilio, pii="hash", pii_key="another key"), streams=["messages"])

    values = [
        keyed(output.records(name), ["sid"])[row["sid"],]["to"]
        for output, name, row in [
            (both, "calls", call),
            (both, "messages", message),
            (again, "messages", message),
            (other, "messages", message),
        ]
    ]
    assert values[0] == values[1] == values[2] == hashed("+15005550006")
    assert values[3] != values[0]


def test_dropped_fields_are_in_neither_schema_nor_records(run, small):
    output = run(config_for(small, **DROPS), streams=["calls", "messages"])

    for name in ("calls", "messages"):
        gone = masked_fields(name)
        assert not gone & output.schemas[name]["schema"]["properties"].keys()
        got = keyed(output.records(name), ["sid"])
        want = keyed(truth(small, STREAMS_BY_NAME[name]), ["sid"])
        assert got.keys() == want.keys()
        for sid, row in want.items():
            assert got[sid] == {field: row[field] for field in row.keys() - gone}


def test_discovery_tells_what_would_be_sent(run, small):
    path = run.folder / "discover.json"
    path.write_text(json.dumps(config_for(small, **DROPS)))

    catalog = run.raw("--config", str(path), "--discover").messages[0]

    by_name = {stream["stream"]: stream["schema"]["properties"] for stream in catalog["streams"]}
    assert "body" not in by_name["messages"]
    assert "sid" in by_name["messages"]


@pytest.fixture(scope="module", params=[HASHES, DROPS], ids=["hash", "drop"])
def everything(request, tmp_path_factory):
    """One run with all streams selected."""
    run = Runner(tmp_path_factory.mktemp("all"), LogKeeper())
    with Sandbox(
        seed=5, now=utc_now(), days=10, volumes={"calls": 4, "messages": 4}, subaccounts=0
    ) as twilio:
        config = config_for(twilio, start_date="P20D", **request.param)
        yield request.param, run(config, streams=list(STREAMS_BY_NAME))


def test_all_streams_are_masked_and_fit_their_schemas(everything):
    settings, output = everything
    assert output.exit_code == 0, output.log[-2000:]
    checker = FormatChecker()
    masked = 0
    for name, records in output.by_stream.items():
        schema = output.schemas[name]["schema"]
        validator = Draft202012Validator(schema, format_checker=checker)
        for record in records:
            error = next(validator.iter_errors(record), None)
            assert error is None, f"{name}: {error.message} at {error.json_path}"
            for field in masked_fields(name):
                value = record.get(field)
                if settings == DROPS:
                    assert field not in record, f"{name}.{field}"
                else:
                    assert value is None or HASH.fullmatch(value), f"{name}.{field}"
                    masked += value is not None
        for field in masked_fields(name) & schema["properties"].keys():
            assert schema["properties"][field]["type"] == ["string", "null"]
            assert "format" not in schema["properties"][field]
    assert masked > 500 or settings == DROPS


def test_keys_and_sids_are_kept(everything):
    _, output = everything
    for name, records in output.by_stream.items():
        kept = {*STREAMS_BY_NAME[name].primary_keys} | {
            field for field in properties_of(name) if field.endswith("sid")
        }
        for record in records:
            values = [record[field] for field in kept & record.keys()]
            assert not [value for value in values if HASH.fullmatch(str(value))], name
            assert kept >= {*STREAMS_BY_NAME[name].primary_keys} - record.keys()


def test_stream_maps_see_what_is_masked(run, small):
    maps = {"messages": {"again": "record['to']", "__else__": "__NULL__", "sid": "sid"}}
    output = run(config_for(small, stream_maps=maps, **HASHES), streams=["messages"])

    values = {record["again"] for record in output.records("messages")}
    assert values
    assert all(HASH.fullmatch(value) for value in values if value is not None)


@pytest.mark.parametrize("settings", [HASHES, DROPS], ids=["hash", "drop"])
def test_fields_that_no_schema_knows_are_masked_too(run, sandbox, settings):
    twilio = sandbox(volumes={"calls": 0, "messages": 6}, subaccounts=0)
    sid = truth(twilio, STREAMS_BY_NAME["messages"])[0]["sid"]
    twilio.patch(sid, nickname="Ada", new_sid="NE1", ages=[{"b": 1, "a": 2}])

    output = run(config_for(twilio, **settings), streams=["messages"])

    record = keyed(output.records("messages"), ["sid"])[sid,]
    assert record["new_sid"] == "NE1"
    if settings == DROPS:
        assert not {"nickname", "ages"} & record.keys()
    else:
        assert record["nickname"] == hashed("Ada")
        assert record["ages"] == hashed('[{"a":2,"b":1}]')
    assert output.log.count("'nickname' is not in the schema") == 1


@pytest.mark.parametrize("settings", [HASHES, DROPS], ids=["hash", "drop"])
def test_odd_forms_of_personal_data_are_masked(run, small, settings):
    odd = {
        "attributes": {"name": "Ada"},
        "profile": json.dumps({"address": "Ada", "about": "x", "emails": [{"email": "Ada"}]}),
    }

    def change(page):
        for rows in (page.get("workers", []), page.get("senders", [])):
            for row in rows:
                row |= {name: value for name, value in odd.items() if name in row}
        return page

    small.plan(faults.rewrite(change), "")
    streams = ["taskrouter_workers", "messaging_senders"]
    try:
        output = run(config_for(small, **settings), streams=streams)
    finally:
        small.clear_plans()

    assert output.exit_code == 0
    assert "Ada" not in json.dumps(output.messages)
    assert "Ada" not in output.log
    for stream in streams:
        assert output.records(stream)
    for record in output.records("taskrouter_workers"):
        told = hashed('{"name":"Ada"}') if settings is HASHES else ...
        assert record.get("attributes", ...) == told
    for record in output.records("messaging_senders"):
        assert record["profile"]["about"] == "x"
        assert (record["profile"].get("address") == hashed("Ada")) == (settings is HASHES)


# --- Parents and children ----------------------------------------------------------------------


def rows_of(twilio, name):
    stream = STREAMS_BY_NAME[name]
    return twilio.truth(stream.product, wire_path(stream), account_sid=twilio.account_sid)


@pytest.mark.parametrize("settings", [HASHES, DROPS], ids=["hash", "drop"])
def test_children_are_read_by_what_their_parents_hide(run, sandbox, settings):
    twilio = sandbox(subaccounts=0)
    names = ["verify_entities", "verify_challenges"]

    output = run(config_for(twilio, max_concurrent_requests=1, **settings), streams=names)

    for name in names:
        got = {record["sid"] for record in output.records(name)}
        assert got == {row["sid"] for row in rows_of(twilio, name)}
    identities = {row["identity"] for row in rows_of(twilio, "verify_entities")}
    asked = {
        request.path.split("/")[-2] for request in twilio.requests if "Challenges" in request.path
    }
    assert asked == identities
    text = json.dumps(output.messages) + output.log
    assert not [identity for identity in identities if identity in text]


def test_messages_about_children_dont_name_people(run, sandbox):
    twilio = sandbox(subaccounts=0)
    twilio.plan(faults.answer(500, 20500, "Internal error"), "/Challenges")
    output = run(config_for(twilio, max_retries=0), streams=["verify_challenges"])

    assert output.exit_code == 1
    assert "/Entities/{identity}/Challenges" in output.log
    assert "/Entities/user-" not in output.log


def test_filters_are_not_logged(run, small):
    number = "+15005550006"
    config = config_for(small, filters={"messages": {"to": number}}, max_retries=1)
    good = run(config, streams=["messages"])
    small_world = json.loads(json.dumps(config))
    bad = run(small_world | {"base_url": "http://127.0.0.1:9"}, streams=["messages"])

    for output in (good, bad):
        for form in (number, number.replace("+", "%2B")):
            assert form not in output.log


# --- Settings ----------------------------------------------------------------------------------


def test_hashing_needs_a_key(run, small):
    output = run(config_for(small, pii="hash"), streams=["messages"])

    assert output.exit_code == 1
    assert output.messages == []
    assert output.log.count("pii_key: it is required") == 1


def test_the_key_is_not_told(run, small):
    output = run(config_for(small, **HASHES), streams=["messages"])

    assert KEY not in output.log
    assert KEY not in json.dumps(output.messages)


# --- Marks -------------------------------------------------------------------------------------

PERSONAL_NAMES = re.compile(
    r"to|from|body|author|identity|.*_identity|identifier|emails?|.*_emails?|.*phone_number|"
    r"first_name|last_name|.*_first_name|.*_last_name|street.*|.*_street_address.*|"
    r"customer_.*name|caller_name|city|ip_address|.*_ip_address|iccid|imei|transcri.*text|worker_name|"
    r"transcript|attributes|event_data|channel_data|.*_formatted"
)

NOT_PERSONAL = {
    "author": {"intelligence_operators"},  # Twilio or the account
    "attributes": {"flex_configuration", "insights_call_summaries"},
}
"""Fields of such names that are an account's own configuration."""


def leaves(properties, path=()):
    for name, schema in properties.items():
        yield (*path, name), schema
        if PII_MARK not in schema:
            inner = schema
            while isinstance(inner.get("items"), dict):
                inner = inner["items"]
            yield from leaves(inner.get("properties", {}), (*path, name))


@pytest.mark.parametrize("product", sorted({s.product for s in STREAMS_BY_NAME.values()}))
def test_fields_of_personal_names_are_marked(product):
    unmarked = [
        f"{stream.name}: {'.'.join(path)}"
        for stream in STREAMS_BY_NAME.values()
        if stream.product == product and not stream.name.startswith("available_phone_numbers_")
        for path, schema in leaves(properties_of(stream.name))
        if PERSONAL_NAMES.fullmatch(path[-1])
        and PII_MARK not in schema
        and {"string", "object", "array"} & set(schema["type"])
        and stream.name not in NOT_PERSONAL.get(path[-1], ())
    ]
    assert unmarked == []
