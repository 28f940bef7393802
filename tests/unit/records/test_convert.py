"""Records: typed as the schema says, exactly, and with nothing dropped in silence."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tap_twilio.records import convert as records
from tap_twilio.records.convert import BLOCK, MOST_UNKNOWN, Converter, column, converter
from tap_twilio.records.values import (
    DIGITS,
    Memo,
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
        ("20190524T174446+0200", "2019-05-24T15:44:46Z"),
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


@pytest.mark.parametrize(
    "value", ["4.5", "a few", Decimal("0.5"), True, False, [], "NaN", "Infinity"]
)
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


def test_an_empty_text_is_no_number():
    assert to_number("") is None


@pytest.mark.parametrize("value", ["free", "NaN", "-Infinity", True, False, {}])
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
    assert to_text(value=False) == "false"


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


def test_no_rows_are_no_trouble():
    assert convert()[0] == []


# --- Moments -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        "Fri; 24 May 2019 17:44:46 +0000",
        "Fri, 24 May 2019 17:44;46 +0000",
        "2019-05-24 17:44:46+Z",
        "2019-05-24T17:44:4 Z",
        "2019-05-24X17:44:46Z",
        "9999-12-31T23:59:59-01:00",
        None,
    ],
)
def test_what_only_looks_like_a_timestamp_is_none(value):
    with pytest.raises(Misfit):
        to_datetime(value)


@pytest.mark.usefixtures("far_from_utc")
@pytest.mark.parametrize(
    ("value", "result"),
    [
        ("2024-01-18T03:17:17", "2024-01-18T03:17:17Z"),
        ("2024-01-18T03:17:17+02:00", "2024-01-18T01:17:17Z"),
        ("Fri, 24 May 2019 17:44:46 -0700", "2019-05-25T00:44:46Z"),
        ("Fri, 24 May 2019 17:44:46 -0000", "2019-05-24T17:44:46Z"),
    ],
)
def test_timestamps_are_in_utc_wherever_the_machine_stands(value, result):
    assert to_datetime(value) == result


def test_the_day_of_a_timestamp_is_the_one_in_utc():
    assert to_date("2026-11-01T23:30:00-02:00") == "2026-11-02"
    assert to_date("20261101") == "2026-11-01"
    for value in ("soon", 17, "2026-13-01"):
        with pytest.raises(Misfit):
            to_date(value)


# --- Numbers -------------------------------------------------------------------------------------


def test_numbers_of_more_digits_than_anything_holds_are_none():
    assert to_integer("9" * DIGITS) == 10**DIGITS - 1
    assert to_number(f"1e{DIGITS}") == Decimal(f"1e{DIGITS}")
    assert to_number(f"1e-{DIGITS}") == Decimal(f"1e-{DIGITS}")
    for convert_one, value in [
        (to_integer, "9" * (DIGITS + 2)),
        (to_integer, f"1e{DIGITS + 1}"),
        (to_number, f"1e{DIGITS + 1}"),
        (to_number, f"1e-{DIGITS + 1}"),
    ]:
        with pytest.raises(Misfit):
            convert_one(value)


def test_an_integer_may_have_a_sign_and_a_point():
    assert [to_integer(value) for value in ("+7", "-07", "7.00", "7e2")] == [7, -7, 7, 700]


# --- Credentials ---------------------------------------------------------------------------------


def test_credentials_never_pass_whatever_the_schema_says_and_are_told_of():
    rows, told = convert({"sid": "X", "auth_token": "s"}, {"sid": "Y"}, {"sid": "Z", "secret": "s"})

    assert rows == [{"sid": "X"}, {"sid": "Y"}, {"sid": "Z"}]
    assert sorted(told) == [
        ("auth_token", "has the name of a credential; it never leaves the tap"),
        ("secret", "has the name of a credential; it never leaves the tap"),
    ]


def test_what_a_stream_keeps_secret_is_taken_out_without_a_word():
    rows, told = convert({"sid": "X", "body": "b"}, {"sid": "Y"}, secrets=["body"])

    assert rows == [{"sid": "X"}, {"sid": "Y"}]
    assert told == []


@pytest.mark.parametrize("field", ["links", "tags", "anything", "new"])
def test_credentials_within_are_taken_out_and_told_of(field):
    held = {"url": "u", "deep": [{"auth_token": "s", "name": "n"}]}
    value = [held] if field == "tags" else held

    (row, other), told = convert({"sid": "X", field: value}, {"sid": "Y", "body": "b"})

    assert row[field] == value
    assert held == {"url": "u", "deep": [{"name": "n"}]}
    assert other == {"sid": "Y", "body": "b"}
    oddity = "held 'auth_token', which has the name of a credential; it never leaves the tap"
    assert (field, oddity) in told


def test_values_that_are_lost_are_told_of_once_a_field_whatever_they_are():
    told = []
    one = Converter(SCHEMA, report=lambda *what: told.append(what))
    for value in ("many", [1], {"a": 1}, "few"):
        one.convert([{"sid": "X", "count": value}])

    oddity = "had a value (str) that its type can't hold; it became null"
    assert told == [("count", oddity)]


def test_credentials_are_taken_out_where_anything_goes():
    rows = [{"free": {"auth_token": "s", "a": 1}}]
    Converter({"properties": {"free": {}}}).convert(rows)

    assert rows == [{"free": {"a": 1}}]


@pytest.mark.parametrize(("kind", "value"), [("object", {}), ("array", [{}])])
def test_credentials_are_taken_out_where_every_row_holds_what_the_schema_says(kind, value):
    held = {"auth_token": "s"}
    rows = [{"field": held if kind == "object" else [held]}]
    Converter({"properties": {"field": {"type": [kind, "null"]}}}).convert(rows)

    assert rows == [{"field": value}]


def test_credentials_in_what_should_be_flat_are_taken_out_and_told_of():
    (row,), told = convert({"sid": "X", "body": {"auth_token": "s", "a": 1}})

    assert row == {"sid": "X", "body": '{"a":1}'}
    assert [field for field, _ in told] == ["body"]


def test_credentials_in_json_text_are_taken_out():
    assert to_object('{"a": {"password": "s", "b": 1}}') == {"a": {"b": 1}}
    assert to_array('[{"password": "s"}]') == [{}]


def test_which_fields_are_hidden():
    one = Converter(SCHEMA, secrets=["body"])

    assert [name for name in ("sid", "body", "auth_token", "new") if one.hides(name)] == [
        "body",
        "auth_token",
    ]


# --- Fields that no schema knows -----------------------------------------------------------------


def test_fields_that_are_not_in_the_schema_are_told_of_once_in_all():
    told = []
    one = Converter(SCHEMA, report=lambda *what: told.append(what))
    for _ in range(2):
        one.convert([{"sid": "X", "new": 1}])
        one.convert([{"sid": "X", "new": 1, "newer": 2}])

    assert one.unknown == ["new", "newer"]
    assert told == [
        ("new", "is not in the schema; it is passed on"),
        ("newer", "is not in the schema; it is passed on"),
    ]


def test_what_is_said_of_unknown_fields_may_be_chosen():
    _, told = convert({"sid": "X", "new": 1}, unknown="is new")

    assert told == [("new", "is new")]


def test_no_more_unknown_fields_are_told_of_than_anybody_reads():
    told = []
    one = Converter(SCHEMA, report=lambda *what: told.append(what))
    names = [f"field_{number}" for number in range(MOST_UNKNOWN + 3)]
    for name in names:
        one.convert([{"sid": "X", name: 1}])

    assert one.unknown == names[:MOST_UNKNOWN]
    assert [name for name, _ in told] == names[: MOST_UNKNOWN + 1]
    assert told[-1][1].startswith(f"is one of more than {MOST_UNKNOWN} that are not in the schema")
    assert all(oddity == "is not in the schema; it is passed on" for _, oddity in told[:-1])


def test_the_forms_of_rows_that_are_remembered_are_bounded(monkeypatch):
    monkeypatch.setattr(records, "MOST_KEPT", 3)
    told = []
    one = Converter(SCHEMA, report=lambda *what: told.append(what))
    for number in [*range(10), *range(10)]:
        one.convert([{"sid": "X", f"field_{number}": 1}])
        sizes = [len(kept) for kept in vars(one).values() if isinstance(kept, set)]
        assert sizes
        assert max(sizes) <= 3

    assert len(told) == 10


# --- Columns -------------------------------------------------------------------------------------


class Quick(dict):
    """A row that is not looked at one by one."""

    def get(self, *_):
        pytest.fail("this row was typed the slow way")


def test_ordinary_rows_are_typed_by_column():
    rows = [
        Quick(sid="X", price="1.50", count="7", sent="Fri, 24 May 2019 17:44:46 +0000", live=True),
        Quick(sid=None, price=None, count=None, sent=None, live=None),
        Quick(sid="Z", price=2, count=3, sent="2019-05-24T17:44:46Z", live=False),
    ]
    told = []
    schema = {"properties": {name: SCHEMA["properties"][name] for name in rows[0]}}

    Converter(schema, report=lambda *what: told.append(what)).convert(rows)

    assert [dict(row) for row in rows] == [
        {
            "sid": "X",
            "price": Decimal("1.50"),
            "count": 7,
            "sent": "2019-05-24T17:44:46Z",
            "live": True,
        },
        {"sid": None, "price": None, "count": None, "sent": None, "live": None},
        {"sid": "Z", "price": 2, "count": 3, "sent": "2019-05-24T17:44:46Z", "live": False},
    ]
    assert told == []


def test_rows_that_lack_a_field_hide_none_that_has_it():
    rows, _ = convert({"sid": "X"}, {"sid": "Y", "live": "1", "count": "7"}, {"sid": "Z"})

    assert rows == [{"sid": "X"}, {"sid": "Y", "live": True, "count": 7}, {"sid": "Z"}]


def test_the_rows_of_a_long_page_are_all_typed():
    rows = [{"sid": "X", "count": str(number)} for number in range(2 * BLOCK + 1)]
    Converter(SCHEMA).convert(rows)

    assert [row["count"] for row in rows] == list(range(2 * BLOCK + 1))


@pytest.mark.parametrize(
    ("convert_one", "values", "results"),
    [
        (
            to_datetime,
            ["Fri, 24 May 2019 17:44:46 +0000", None, "2019-05-24T17:44:46Z", ""],
            ["2019-05-24T17:44:46Z", None, "2019-05-24T17:44:46Z", None],
        ),
        (to_integer, ["1", None, "1", 1, ""], [1, None, 1, 1, None]),
        (to_text, ["x", None, 1, {"a": 1}], ["x", None, "1", '{"a":1}']),
    ],
)
def test_a_column_is_converted_in_place(convert_one, values, results):
    rows = [{"x": value} for value in values]

    column(convert_one)(rows, "x")

    assert rows == [{"x": result} for result in results]


@pytest.mark.parametrize("convert_one", [to_datetime, to_integer, to_object])
def test_a_column_ends_at_the_first_value_that_is_odd(convert_one):
    good = {to_datetime: "2019-05-24T17:44:46Z", to_integer: "1", to_object: '{"a":1}'}
    rows = [{"x": good[convert_one]}, {"x": "odd"}, {"x": good[convert_one]}]

    with pytest.raises((KeyError, TypeError, ValueError, Misfit)):
        column(convert_one)(rows, "x")

    assert rows[0]["x"] == convert_one(good[convert_one])
    assert rows[1:] == [{"x": "odd"}, {"x": good[convert_one]}]


def test_what_recurs_is_converted_once():
    asked = []
    memo = Memo(lambda value: asked.append(value) or f"<{value}>")

    assert [memo["a"], memo["a"], memo["b"]] == ["<a>", "<a>", "<b>"]
    assert asked == ["a", "b"]


def test_one_is_not_taken_for_true_though_they_are_equal():
    memo = Memo(repr)

    assert [memo[1], memo[True], memo[Decimal(1)]] == ["1", "True", "Decimal('1')"]
    assert len(memo) == 0


def test_results_that_are_kept_are_bounded(monkeypatch):
    monkeypatch.setattr("tap_twilio.records.values.MOST_KEPT", 3)
    memo = Memo(str.upper)
    sizes = []
    for value in "abcdefg":
        assert memo[value] == value.upper()
        sizes.append(len(memo))

    assert sizes == [1, 2, 3, 1, 2, 3, 1]


# --- Schemas -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"type": ["object", "array", "string", "number", "boolean", "null"]},
        {"type": ["object", "array", "string", "number", "integer", "boolean"]},
        True,
        None,
    ],
)
def test_where_anything_goes_nothing_is_converted(schema):
    assert converter(schema) is None


def test_a_form_within_is_heeded_where_else_anything_would_go():
    dated = {"type": ["object", "array", "string", "number", "boolean"], "format": "date-time"}
    inner = {
        "type": ["object", "array", "string", "number", "boolean"],
        "properties": {"count": {"type": "integer"}},
    }

    assert converter(dated)("Fri, 24 May 2019 17:44:46 +0000") == "2019-05-24T17:44:46Z"
    assert converter(inner)({"count": "1"}) == {"count": 1}
    assert converter(inner)("x") == "x"


def test_a_type_may_stand_alone():
    assert converter({"type": "integer"}) is to_integer
    assert converter({"type": ["integer", "null"]}) is to_integer


def test_the_form_of_a_text_is_no_form_of_anything_else():
    assert converter({"type": "integer", "format": "date"}) is to_integer
    assert converter({"type": "string", "format": "date"}) is to_date
    assert converter({"type": "string", "format": "uri"}) is to_text


def test_values_of_several_types_that_none_holds_are_misfits():
    with pytest.raises(Misfit):
        converter({"type": ["integer", "object"]})("x")


def test_members_of_any_name_are_typed_where_none_is_named():
    schema = {"type": "object", "additionalProperties": {"type": "integer"}}

    assert converter(schema)({"a": "1", "b": None}) == {"a": 1, "b": None}
    assert converter(schema)("") is None
    assert converter(schema)("{}") == {}


def test_misfits_within_are_told_by_place_and_value():
    told = []
    schema = {
        "type": "object",
        "properties": {"rows": {"type": "array", "items": {"type": "integer"}}},
        "additionalProperties": {"type": "object", "properties": {"n": {"type": "number"}}},
    }

    found = converter(schema, "x", lambda *what: told.append(what))(
        {"rows": ["1", "many", None], "other": {"n": "few"}, "third": []}
    )

    assert found == {"rows": [1, None, None], "other": {"n": None}, "third": None}
    assert sorted(told) == [("x.*", []), ("x.*.n", "few"), ("x.rows[]", "many")]


def test_a_place_may_have_no_name():
    told = []
    converter(
        {"type": "array", "items": {"type": "integer"}}, lose=lambda *what: told.append(what)
    )(["many"])

    assert told == [("[]", "many")]


def test_items_of_the_right_type_stay_the_same_list():
    texts = ["a", None, "b"]

    assert converter({"type": "array", "items": {"type": "string"}})(texts) is texts
    assert texts == ["a", None, "b"]
    assert converter({"type": "array", "items": {"type": "string"}})("") is None
    assert converter({"type": "array", "items": {"type": "integer"}})(["1"]) == [1]


def test_a_value_that_was_lost_is_told_of_with_its_type_but_not_itself():
    _, told = convert({"sid": "X", "count": "many"}, {"sid": "Y", "price": [1]})

    assert told == [
        ("price", "had a value (list) that its type can't hold; it became null"),
        ("count", "had a value (str) that its type can't hold; it became null"),
    ]


def test_parents_are_added_where_they_are_null_or_absent():
    rows, _ = convert(
        {"sid": "X"},
        {"sid": "Y", "account_sid": None},
        {"sid": "Z", "account_sid": ""},
        parents={"account_sid": "AC1", "more": 1},
    )

    assert [row["account_sid"] for row in rows] == ["AC1", "AC1", ""]
    assert [row["more"] for row in rows] == [1, 1, 1]
