"""Records: typed as the schema says, exactly, and with nothing dropped in silence."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tap_twilio.records import (
    Converter,
    Misfit,
    to_array,
    to_boolean,
    to_date,
    to_datetime,
    to_integer,
    to_number,
    to_object,
    to_text,
)


@pytest.mark.parametrize(
    ("value", "result"),
    [
        ("Fri, 24 May 2019 17:44:46 +0000", "2019-05-24T17:44:46Z"),
        ("Tue, 29 Feb 2028 23:59:59 +0000", "2028-02-29T23:59:59Z"),
        ("Fri, 24 May 2019 17:44:46 -0700", "2019-05-25T00:44:46Z"),
        ("Fri, 24 May 2019 17:44:46 GMT", "2019-05-24T17:44:46Z"),
        ("2015-07-30T20:00:00Z", "2015-07-30T20:00:00Z"),
        ("2019-06-24T22:32:49+00:00", "2019-06-24T22:32:49Z"),
        ("2019-06-24T22:32:49+02:00", "2019-06-24T20:32:49Z"),
        ("2024-01-18T03:17:17.005Z", "2024-01-18T03:17:17.005000Z"),
        ("2024-01-18T03:17:17", "2024-01-18T03:17:17Z"),
        ("", None),
    ],
)
def test_timestamps(value, result):
    assert to_datetime(value) == result


@pytest.mark.parametrize(
    "value",
    ["soon", "Fri, 32 May 2019 17:44:46 +0000", "Fri, 24 May 2019 25:00:00 +0000", 17, {}, []],
)
def test_what_is_no_timestamp(value):
    with pytest.raises(Misfit):
        to_datetime(value)


@pytest.mark.parametrize(
    ("value", "result"),
    [
        ("2026-11-01", "2026-11-01"),
        ("2026-11-01T05:00:00Z", "2026-11-01"),
        ("Sun, 01 Nov 2026 05:00:00 +0000", "2026-11-01"),
        ("", None),
    ],
)
def test_dates(value, result):
    assert to_date(value) == result


@pytest.mark.parametrize(
    ("value", "result"),
    [("4", 4), ("-1", -1), (7, 7), ("4.0", 4), (Decimal(3), 3), ("", None), ("0" * 3, 0)],
)
def test_integers(value, result):
    assert to_integer(value) == result


@pytest.mark.parametrize("value", ["4.5", "a few", Decimal("0.5"), True, [], "NaN", "Infinity"])
def test_what_is_no_integer(value):
    with pytest.raises(Misfit):
        to_integer(value)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("-0.00750", "-0.00750"),
        ("0.12345678901234567890", "0.12345678901234567890"),
        (Decimal("1.10"), "1.10"),
        (3, "3"),
    ],
)
def test_numbers_keep_their_decimals(value, written):
    assert str(to_number(value)) == written


@pytest.mark.parametrize("value", ["free", "NaN", "-Infinity", False, {}])
def test_what_is_no_number(value):
    with pytest.raises(Misfit):
        to_number(value)


def test_truth_values():
    for value in (True, "true", "True", "TRUE", 1, "1", Decimal("1.0")):
        assert to_boolean(value) is True
    for value in (False, "false", "False", 0, "0", Decimal(0)):
        assert to_boolean(value) is False
    assert to_boolean("") is None
    for value in ("yes", "none", 2, "2", Decimal("0.5"), [], {}):
        with pytest.raises(Misfit):
            to_boolean(value)


def test_texts_stay_as_they_are():
    assert [to_text(value) for value in ("", "x", 5, Decimal("1.50"), True)] == [
        "",
        "x",
        "5",
        "1.50",
        "true",
    ]


def test_objects_and_arrays_become_their_json_text():
    value = {"b": [Decimal("1.50"), 10**30, None, True], "a": "\xe9\n"}

    assert to_text(value) == '{"b":[1.50,1000000000000000000000000000000,null,true],"a":"\xe9\\n"}'
    assert to_text([]) == "[]"


def test_json_text_becomes_its_object_or_array():
    assert to_object('{"a": [1.50]}') == {"a": [Decimal("1.50")]}
    assert str(to_object('{"a": 1.50}')["a"]) == "1.50"
    assert to_array(' [{"a": 1}]') == [{"a": 1}]
    assert to_object("") is to_array("") is None
    for convert, values in {
        to_object: ("x", "{", "[]", "null", "1", [], 1),
        to_array: ("x", "[", "{}", "null", "1", {}, True),
    }.items():
        for value in values:
            with pytest.raises(Misfit):
                convert(value)


SCHEMA = {
    "type": "object",
    "properties": {
        "sid": {"type": "string"},
        "account_sid": {"type": ["string", "null"]},
        "price": {"type": ["number", "null"]},
        "count": {"type": ["integer", "null"]},
        "body": {"type": ["string", "null"]},
        "live": {"type": ["boolean", "null"]},
        "links": {"type": ["object", "null"]},
        "tags": {"type": ["array", "null"]},
        "anything": {"type": ["object", "array", "string", "number", "boolean", "null"]},
        "sent": {"type": ["string", "null"], "format": "date-time"},
    },
}


def convert(*records, **options):
    told = []
    rows = [dict(record) for record in records]
    parents = options.pop("parents", None)
    converter = Converter(SCHEMA, report=lambda *what: told.append(what), **options)
    converter.convert(rows, parents)
    return rows, told


def test_null_and_empty():
    empty = {"sid": "X", "price": "", "count": "", "body": "", "live": "", "links": "", "sent": ""}

    (row,), told = convert(empty)

    assert row == {
        "sid": "X",
        "price": None,
        "count": None,
        "body": "",
        "live": None,
        "links": None,
        "sent": None,
    }
    assert told == []


def test_nothing_is_added_to_a_record_but_its_parents():
    (row, other), _ = convert(
        {"sid": "X"}, {"sid": "Y", "account_sid": "AC9"}, parents={"account_sid": "AC1"}
    )

    assert row == {"sid": "X", "account_sid": "AC1"}
    assert other == {"sid": "Y", "account_sid": "AC9"}


def test_misfits_become_null_and_are_told():
    (row,), told = convert(
        {"sid": "X", "price": "free", "links": [1], "tags": {}, "live": "maybe", "sent": "soon"}
    )

    assert row == {
        "sid": "X",
        "price": None,
        "links": None,
        "tags": None,
        "live": None,
        "sent": None,
    }
    assert {field for field, _ in told} == {"price", "links", "tags", "live", "sent"}


PRICES = {
    "type": ["array", "null"],
    "items": {
        "type": ["object", "null"],
        "properties": {
            "base_price": {"type": ["number", "null"]},
            "since": {"type": ["string", "null"], "format": "date-time"},
            "carriers": {"type": ["array", "null"], "items": {"type": ["string", "null"]}},
            "limits": {
                "type": ["object", "null"],
                "properties": {"soft": {"type": ["boolean", "null"]}},
                "additionalProperties": {"type": ["integer", "null"]},
            },
            "note": {},
        },
        "additionalProperties": True,
    },
}


def convert_prices(value):
    told = []
    converter = Converter(
        {"properties": {"prices": PRICES}}, report=lambda *what: told.append(what[0])
    )
    rows = [{"prices": value}]
    converter.convert(rows)
    return rows[0]["prices"], told


def test_what_lies_within_is_typed_alike():
    prices, told = convert_prices(
        [
            {
                "base_price": "0.0100",
                "since": "Fri, 24 May 2019 17:44:46 +0000",
                "carriers": ["x", 5, {"a": 1}, None, Decimal("1.50")],
                "limits": {"soft": "1", "hard": "7", "none": None, "empty": ""},
                "note": "1",
                "new": ["1"],
            },
            None,
            '{"base_price": "2", "limits": "{\\"hard\\": \\"3\\"}"}',
        ]
    )

    assert prices == [
        {
            "base_price": Decimal("0.0100"),
            "since": "2019-05-24T17:44:46Z",
            "carriers": ["x", "5", '{"a":1}', None, "1.50"],
            "limits": {"soft": True, "hard": 7, "none": None, "empty": None},
            "note": "1",
            "new": ["1"],
        },
        None,
        {"base_price": 2, "limits": {"hard": 3}},
    ]
    assert str(prices[0]["base_price"]) == "0.0100"
    assert told == []


def test_misfits_within_become_null_alone_and_are_told_by_their_place():
    prices, told = convert_prices(
        [
            {"base_price": "free", "since": "soon", "carriers": "x", "note": 1},
            {"limits": {"soft": "maybe", "hard": "many"}},
            5,
        ]
    )

    assert prices == [
        {"base_price": None, "since": None, "carriers": None, "note": 1},
        {"limits": {"soft": None, "hard": None}},
        None,
    ]
    assert told == [
        "prices[].base_price",
        "prices[].since",
        "prices[].carriers",
        "prices[].limits.soft",
        "prices[].limits.*",
        "prices[]",
    ]


@pytest.mark.parametrize(
    ("types", "value", "kept"),
    [
        (["string", "integer"], 5, 5),
        (["string", "integer"], "5", "5"),
        (["string", "integer"], {"a": 1}, '{"a":1}'),
        (["string", "integer"], True, "true"),
        (["string", "integer"], Decimal("1.50"), "1.50"),
        (["integer", "boolean"], "7", 7),
        (["integer", "boolean"], "true", True),
        (["object", "array"], '{"a": 1}', {"a": 1}),
        (["object", "array"], "[1]", [1]),
        (["object", "array"], "x", None),
        (["number", "boolean"], [], None),
    ],
)
def test_of_several_types_a_value_keeps_its_own(types, value, kept):
    told = []
    converter = Converter(
        {"properties": {"x": {"type": [*types, "null"]}}}, report=lambda *what: told.append(what)
    )
    rows = [{"x": value}]
    converter.convert(rows)

    assert rows == [{"x": kept}]
    assert type(rows[0]["x"]) is type(kept)
    assert len(told) == (kept is None)


def test_fields_of_any_type_pass():
    values = [{"a": 1}, [1], "x", 1, True, None, ""]

    rows, told = convert(*({"sid": "X", "anything": value} for value in values))

    assert [row["anything"] for row in rows] == values
    assert told == []


def test_unknown_fields_pass_and_are_told_once_each():
    rows, told = convert({"sid": "X", "new": {"deep": [1]}}, {"sid": "Y", "new": 2, "newer": 3})

    assert rows[0]["new"] == {"deep": [1]}
    assert rows[1]["newer"] == 3
    assert {field for field, _ in told} == {"new", "newer"}


def test_secrets_are_taken_out():
    (row,), _ = convert({"sid": "X", "body": "b", "auth_token": "s"}, secrets=["auth_token"])

    assert row == {"sid": "X", "body": "b"}


def test_no_rows_are_no_trouble():
    assert convert()[0] == []
