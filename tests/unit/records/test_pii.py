"""Masking: what is marked is hashed or dropped, whatever its form, and nothing else is."""

from __future__ import annotations

import copy
import hashlib
import hmac
import json
from decimal import Decimal

import pytest
from jsonschema import Draft202012Validator

from tap_twilio.records.convert import Converter
from tap_twilio.records.pii import Masker, Rule, is_sid
from tap_twilio.resource.schemas import PII_MARK

KEY = "a key that nobody else has"


def hashed(text):
    """The documented hash, written a second time."""
    return hmac.new(KEY.encode(), text.encode(), hashlib.sha256).hexdigest()


def text(**more):
    return {"type": ["string", "null"], **more}


MARKED = text(**{PII_MARK: {"handling": "standard"}})


def masks(properties, record, how="hash", keys=()):
    schema = {"type": "object", "properties": properties, "additionalProperties": True}
    masker = Masker(schema, Rule(how, KEY), keys)
    before = json.dumps(record)
    (masked,) = masker.mask([record])
    assert json.dumps(record) == before
    Draft202012Validator(masker.announce(schema)).validate(masked)
    return masked


NESTED = {
    "person": {
        "type": ["object", "null"],
        "properties": {
            "name": MARKED,
            "role": text(),
            "homes": {
                "type": ["array", "null"],
                "items": {
                    "type": ["object", "null"],
                    "properties": {"street": MARKED, "zone": text()},
                },
            },
        },
        "additionalProperties": True,
    }
}


def test_marks_inside_objects_and_arrays_are_heeded():
    record = {"person": {"name": "Ada", "role": "x", "homes": [{"street": "S", "zone": "1"}, {}]}}

    assert masks(NESTED, record) == {
        "person": {
            "name": hashed("Ada"),
            "role": "x",
            "homes": [{"street": hashed("S"), "zone": "1"}, {}],
        }
    }
    assert masks(NESTED, record, "drop") == {"person": {"role": "x", "homes": [{"zone": "1"}, {}]}}


@pytest.mark.parametrize("value", [None, {}, {"name": None}, {"homes": None}, {"more": 1}])
def test_what_is_not_there_stays_away(value):
    assert masks(NESTED, {"person": value}) == {"person": value}


@pytest.mark.parametrize(
    "person", ["Ada Lovelace", ["Ada"], [{"name": "Ada"}], 5, {"homes": {"street": "S"}}]
)
def test_a_form_that_the_marks_are_not_for_becomes_null(person):
    kept = {"homes": None} if isinstance(person, dict) else None

    assert masks(NESTED, {"person": person}) == {"person": kept}


FORMS = {
    "an object": {"name": "Ada", "homes": [{"street": "Ada"}, "Ada", ["Ada"]]},
    "JSON text of one": '{"name": "Ada", "homes": [{"street": "Ada"}]}',
    "JSON text within": {"homes": '[{"street": "Ada"}, "{\\"street\\": \\"Ada\\"}"]'},
    "an object for a text": {"name": {"first": "Ada"}, "homes": {"street": "Ada"}},
    "an array": [{"name": "Ada"}],
    "a text": "Ada",
}


@pytest.mark.parametrize("how", ["hash", "drop"])
@pytest.mark.parametrize("form", FORMS)
def test_typing_brings_nothing_past_the_marks(form, how):
    record = {"person": copy.deepcopy(FORMS[form]), "note": {"who": "Ada"}}
    properties = NESTED | {"note": MARKED}
    Converter({"properties": properties}).convert([record])

    assert "Ada" not in json.dumps(masks(properties, record, how))


@pytest.mark.parametrize(
    ("value", "hashed_as"),
    [
        ("", ""),
        ("Zoë", "Zoë"),
        (5, "5"),
        (True, "true"),
        ({"b": [1], "a": None}, '{"a":null,"b":[1]}'),
        ([], "[]"),
    ],
)
def test_values_of_any_type_are_hashed_by_their_text(value, hashed_as):
    anything = {"type": ["object", "array", "string", "number", "null"], PII_MARK: {}}

    assert masks({"data": anything}, {"data": value}) == {"data": hashed(hashed_as)}
    assert masks({"data": anything}, {"data": value}, "drop") == {}


def test_marks_of_all_items_or_members_hide_the_whole():
    properties = {
        "names": {"type": ["array", "null"], "items": MARKED},
        "by_name": {"type": ["object", "null"], "additionalProperties": MARKED},
    }
    record = {"names": ["Ada"], "by_name": {"Ada": "1"}}

    assert masks(properties, record) == {
        "names": hashed('["Ada"]'),
        "by_name": hashed('{"Ada":"1"}'),
    }
    assert masks(properties, record, "drop") == {}


def test_keys_and_sids_are_excepted():
    properties = {"identity": MARKED, "person_sid": MARKED, "name": MARKED}
    record = {"identity": "a", "person_sid": "PE1", "name": "b"}

    assert masks(properties, record, keys=["identity"]) == record | {"name": hashed("b")}


# --- Values --------------------------------------------------------------------------------------


def test_numbers_are_hashed_with_all_their_decimals():
    rule = Rule("hash", KEY)

    assert rule.hide(Decimal("1.50")) == hashed("1.50")
    assert rule.hide({"price": Decimal("0.0010")}) == hashed('{"price":0.0010}')


def test_equal_objects_have_equal_hashes_whatever_their_order():
    rule = Rule("hash", KEY)

    assert rule.hide({"b": {"d": 1, "c": 2}, "a": 3}) == rule.hide({"a": 3, "b": {"c": 2, "d": 1}})


def test_half_a_character_is_hashed_as_it_is():
    expected = hmac.new(KEY.encode(), b"\xed\xa0\xbd", hashlib.sha256).hexdigest()

    assert Rule("hash", KEY).hide("\ud83d") == expected


def test_null_has_no_hash_and_empty_has_one():
    assert Rule("hash", KEY).hide(None) is None
    assert Rule("hash", KEY).hide("") == hashed("")


def test_hashes_depend_on_the_key_which_is_not_told():
    assert Rule("hash", KEY).hide("Ada") != Rule("hash", "another").hide("Ada")
    assert KEY not in repr(Rule("hash", KEY))


@pytest.mark.parametrize(
    ("name", "is_one"),
    [("sid", True), ("account_sid", True), ("callSid", True), ("SID", True), ("side", False)],
)
def test_sids_are_known_by_the_end_of_their_name(name, is_one):
    assert is_sid(name) == is_one


# --- Records -------------------------------------------------------------------------------------


def test_records_that_lack_a_field_are_masked_as_the_others():
    schema = {"properties": {"sid": text(), "name": MARKED, "person": NESTED["person"]}}
    records = [{"sid": "X1"}, {"sid": "X2", "name": "Ada", "person": {"name": "Ada"}}]

    assert Masker(schema, Rule("drop"), []).mask(records) == [
        {"sid": "X1"},
        {"sid": "X2", "person": {}},
    ]
    assert Masker(schema, Rule("hash", KEY), []).mask(records) == [
        {"sid": "X1"},
        {"sid": "X2", "name": hashed("Ada"), "person": {"name": hashed("Ada")}},
    ]


def test_null_stays_null_where_it_is_hashed():
    record = {"name": None, "person": None, "new": None}

    assert masks(NESTED | {"name": MARKED}, record) == record


def test_keys_are_kept_as_they_are_whatever_they_hold():
    properties = {"person": NESTED["person"], "person_sid": NESTED["person"]}
    record = {"person": {"name": "Ada"}, "person_sid": {"name": "Ada"}}

    assert masks(properties, record, keys=["person"]) == record


def test_marks_inside_members_of_any_name_are_heeded():
    person = {"type": ["object", "null"], "properties": {"name": MARKED, "role": text()}}
    people = {
        "type": ["object", "null"],
        "properties": {"count": {"type": ["integer", "null"]}},
        "additionalProperties": person,
    }
    record = {"people": {"x": {"name": "Ada", "role": "r"}, "count": 5, "y": None}}

    assert masks({"people": people}, record) == {
        "people": {"x": {"name": hashed("Ada"), "role": "r"}, "count": 5, "y": None}
    }
    assert masks({"people": people}, record, "drop") == {
        "people": {"x": {"role": "r"}, "count": 5, "y": None}
    }
    assert masks({"people": people}, {"people": ["Ada"]}) == {"people": None}


def test_a_mark_on_the_whole_goes_before_those_within():
    person = NESTED["person"] | {PII_MARK: {}}

    assert masks({"person": person}, {"person": {"name": "Ada"}}) == {
        "person": hashed('{"name":"Ada"}')
    }


def test_marks_that_lie_deep_are_heeded_though_none_lies_above():
    home = {"type": ["object", "null"], "properties": {"street": MARKED, "zone": text()}}
    person = {"type": ["object", "null"], "properties": {"home": home, "age": text()}}
    record = {"person": {"home": {"street": "S", "zone": "1"}, "age": "5"}}

    assert masks({"person": person}, record) == {
        "person": {"home": {"street": hashed("S"), "zone": "1"}, "age": "5"}
    }


def test_marks_of_items_of_items_hide_the_whole():
    rows = {"type": ["array", "null"], "items": {"type": ["array", "null"], "items": MARKED}}

    assert masks({"rows": rows}, {"rows": [["Ada"]]}) == {"rows": hashed('[["Ada"]]')}


def test_an_array_of_what_holds_marks_is_masked_one_by_one():
    people = {"type": ["array", "null"], "items": NESTED["person"]}

    assert masks({"people": people}, {"people": [{"name": "Ada"}, {"role": "x"}]}) == {
        "people": [{"name": hashed("Ada")}, {"role": "x"}]
    }
    assert masks({"people": people}, {"people": {"name": "Ada"}}) == {"people": None}


# --- Schemas -------------------------------------------------------------------------------------

HASHED = {"type": ["string", "null"]}
WHOLE = {
    "type": "object",
    "properties": {
        "sid": text(),
        "name": text(format="date", **{PII_MARK: {}}),
        "place": {
            "type": ["object", "null"],
            "properties": {"street": MARKED, "zone": text()},
            "additionalProperties": True,
        },
        "places": {
            "type": ["array", "null"],
            "items": {"type": ["object", "null"], "additionalProperties": NESTED["person"]},
        },
    },
    "additionalProperties": True,
}


def announced(how, schema=WHOLE):
    before = copy.deepcopy(schema)
    found = Masker(WHOLE, Rule(how, KEY), []).announce(schema)
    assert schema == before
    return found


def test_hashed_fields_are_announced_as_texts_at_any_depth():
    found = announced("hash")

    person = NESTED["person"]["properties"]
    homes = {
        "type": ["array", "null"],
        "items": {"type": ["object", "null"], "properties": {"street": HASHED, "zone": text()}},
    }
    assert found == WHOLE | {
        "properties": {
            "sid": text(),
            "name": HASHED,
            "place": WHOLE["properties"]["place"]
            | {"properties": {"street": HASHED, "zone": text()}},
            "places": {
                "type": ["array", "null"],
                "items": {
                    "type": ["object", "null"],
                    "additionalProperties": NESTED["person"]
                    | {"properties": {"name": HASHED, "role": person["role"], "homes": homes}},
                },
            },
        }
    }


def test_dropped_fields_are_not_announced_at_any_depth():
    properties = announced("drop")["properties"]

    assert properties.keys() == {"sid", "place", "places"}
    assert properties["place"]["properties"].keys() == {"zone"}
    person = properties["places"]["items"]["additionalProperties"]["properties"]
    assert person.keys() == {"role", "homes"}
    assert person["homes"]["items"]["properties"].keys() == {"zone"}


def test_a_field_that_only_an_older_catalog_knows_is_masked_unless_it_is_a_sid():
    older = {"properties": {"sid": text(), "nickname": text(), "old_sid": text()}}

    assert announced("hash", older)["properties"] == {
        "sid": text(),
        "nickname": HASHED,
        "old_sid": text(),
    }
    assert announced("drop", older)["properties"].keys() == {"sid", "old_sid"}


def test_announced_texts_are_not_one_object():
    found = announced("hash", {"properties": {"a": text(), "b": text()}})["properties"]

    assert found["a"] is not found["b"]
