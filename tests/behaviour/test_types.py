"""Whatever Twilio sends fits the stream's own schema, and nothing of it is lost in silence."""

from __future__ import annotations

import json
from decimal import Decimal
from functools import cache

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker
from singer_sdk.contrib.msgspec import encoder

from harness import STREAMS_BY_NAME, config_for, schema_of
from sandbox import faults
from tap_twilio.http import pagination
from tap_twilio.records.convert import Converter

TELLING = st.sampled_from(
    [
        "",
        "true",
        "False",
        "0",
        "1",
        "-0.00750",
        "1e999999999",
        "NaN",
        "2026-11-01",
        "2026-11-01T05:00:00.5Z",
        "Sun, 01 Nov 2026 05:00:00 +0000",
        "{}",
        "[]",
        '{"sms": 1}',
        '[{"base_price": "0.5"}, "x"]',
        "{",
    ]
)
NUMBERS = (
    st.integers()
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.sampled_from([0, 1, 2**64, Decimal("1.0"), Decimal("1E+500")])
)
LEAVES = st.none() | st.booleans() | NUMBERS | TELLING | st.text(max_size=5)
ANYTHING = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=5,
)


def like(schema):
    """Values of about the shape of a schema, and any others."""
    shaped = [ANYTHING]
    if isinstance(schema, dict):
        if members := schema.get("properties"):
            optional = {name: like(one) for name, one in members.items()}
            shaped.append(st.fixed_dictionaries({}, optional=optional))
        for part, wrap in (
            ("items", lambda inner: st.lists(inner, max_size=3)),
            (
                "additionalProperties",
                lambda inner: st.dictionaries(st.text(max_size=3), inner, max_size=3),
            ),
        ):
            if isinstance(schema.get(part), dict):
                shaped.append(wrap(like(schema[part])))
    if len(shaped) > 1:
        shaped.append(shaped[-1].map(json_text))
    return st.one_of(shaped)


def json_text(value):
    return encoder.encode(value).decode()


@cache
def properties_of(name):
    return schema_of(STREAMS_BY_NAME[name])["properties"]


@cache
def record_of(name):
    properties = properties_of(name)
    some = st.lists(st.sampled_from(sorted(properties)), min_size=1, max_size=4, unique=True)
    return some.flatmap(
        lambda names: st.fixed_dictionaries({one: like(properties[one]) for one in names})
    )


@cache
def validator_of(name):
    # A key that fits nothing is null, too: such a row never leaves.
    properties = {
        field: {**schema, "type": [*types(schema), "null"]}
        for field, schema in properties_of(name).items()
    }
    schema = {"type": "object", "properties": properties}
    return Draft202012Validator(schema, format_checker=FormatChecker())


def types(schema):
    kinds = schema["type"]
    return [kinds] if isinstance(kinds, str) else kinds


NESTED = sorted(
    name
    for name in STREAMS_BY_NAME
    for field in properties_of(name).values()
    if any(
        isinstance(field.get(part), dict)
        for part in ("items", "properties", "additionalProperties")
    )
)
ROWS = st.sampled_from([*STREAMS_BY_NAME, *NESTED]).flatmap(
    lambda name: st.tuples(st.just(name), record_of(name))
)


def lost(schema, sent, got, place):
    """Where a value became null, or its members others than they were."""
    if sent is None or sent == "" or not isinstance(schema, dict):
        return
    if got is None:
        assert types(schema) != ["string", "null"] or "format" in schema, place
        yield place
        return
    if isinstance(sent, str) and isinstance(got, (dict, list)):
        sent = json.loads(sent, parse_float=Decimal)
    if isinstance(got, dict):
        assert got.keys() == sent.keys()
        known = schema.get("properties", {})
        for name, one in sent.items():
            inner = known.get(name, schema.get("additionalProperties"))
            where = f"{place}.{name}" if name in known else f"{place}.*"
            yield from lost(inner, one, got[name], where)
    elif isinstance(got, list):
        assert len(got) == len(sent)
        for one, other in zip(sent, got, strict=True):
            yield from lost(schema.get("items"), one, other, f"{place}[]")
    elif isinstance(sent, (dict, list)):
        assert json.loads(got, parse_float=Decimal) == sent


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ROWS)
@example(("calls", {"price": "-0.00750", "annotation": {"a": Decimal("1.50")}, "sid": 5}))
@example(("pricing_voice_prices", {"inbound_call_prices": [{"base_price": "0.5"}, {}, None]}))
@example(("messaging_phone_numbers", {"capabilities": ["SMS", 5, {"a": 1}, [True]]}))
def test_records_fit_their_schema_and_lose_nothing_untold(row):
    name, record = row
    rows = msgspec.Raw(encoder.encode([record]))
    sent, *_ = pagination.decode(rows)
    told = []
    converter = Converter(
        {"properties": properties_of(name)}, report=lambda place, _: told.append(place)
    )
    page = pagination.decode(rows)

    converter.convert(page)

    written = json.loads(encoder.encode(page[0]), parse_float=Decimal)
    error = next(validator_of(name).iter_errors(written), None)
    assert error is None, f"{name}: {error.message} at {error.json_path}"
    missing = {
        place
        for field, schema in properties_of(name).items()
        if field in record
        for place in lost(schema, sent[field], page[0][field], field)
    }
    assert missing == set(told)
    assert page[0].keys() == record.keys()


# --- Through the front door --------------------------------------------------------------------

PRICES = [
    {"number_type": "local", "base_price": "1.00", "current_price": "0.85"},
    {"number_type": {"a": 1}, "base_price": "", "current_price": 2},
]

SENT = {
    "prices as strings": (
        ("pricing_phone_number_prices", "/PhoneNumbers/Countries/"),
        ("phone_number_prices", PRICES),
        [
            {"number_type": "local", "base_price": 1.0, "current_price": 0.85},
            {"number_type": '{"a":1}', "base_price": None, "current_price": 2},
        ],
        None,
    ),
    "a price in words": (
        ("pricing_phone_number_prices", "/PhoneNumbers/Countries/"),
        ("phone_number_prices", [{"base_price": "free", "note": [1]}]),
        [{"base_price": None, "note": [1]}],
        "phone_number_prices[].base_price",
    ),
    "attributes as an object": (
        ("taskrouter_workers", "/Workers"),
        ("attributes", {"skills": ["é", 1], "rate": 0.125}),
        '{"skills":["é",1],"rate":0.125}',
        None,
    ),
    "attributes as a string": (
        ("conversations", "/v1/Conversations"),
        ("attributes", '{"vip": true}'),
        '{"vip": true}',
        None,
    ),
    "an annotation": (("calls", "/Calls.json"), ("annotation", [{"x": 1}]), '[{"x":1}]', None),
    "capabilities as objects": (
        ("messaging_phone_numbers", "/PhoneNumbers"),
        ("capabilities", ["SMS", {"mms": True}, 5]),
        ["SMS", '{"mms":true}', "5"],
        None,
    ),
    "capabilities as JSON text": (
        ("messaging_phone_numbers", "/PhoneNumbers"),
        ("capabilities", '["SMS", 5]'),
        ["SMS", "5"],
        None,
    ),
    "truth as numbers": (
        ("incoming_phone_numbers", "/IncomingPhoneNumbers.json"),
        ("capabilities", {"voice": 1, "sms": "0", "mms": "true", "fax": False}),
        {"voice": True, "sms": False, "mms": True, "fax": False},
        None,
    ),
}


@pytest.mark.parametrize("name", SENT)
def test_values_within_values_go_out_typed(run, small, name):
    (stream, path), (field, sent), kept, warned = SENT[name]

    def change(page):
        rows = page.get(schema_of(STREAMS_BY_NAME[stream])["x-twilio"]["data_key"], [page])
        for row in rows:
            row[field] = sent
        return page

    small.plan(faults.rewrite(change), path)
    try:
        output = run(config_for(small), streams=[stream])
    finally:
        small.clear_plans()

    assert output.exit_code == 0
    validator = Draft202012Validator(output.schemas[stream]["schema"])
    records = output.records(stream)
    assert records
    for record in records:
        assert record[field] == kept
        validator.validate(record)
    warnings = [line for line in output.log.splitlines() if line.startswith("WARNING")]
    assert len(warnings) == (warned is not None)
    assert all(f"field {warned!r} had a value" in line for line in warnings)
