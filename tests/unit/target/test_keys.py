from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_twilio.keys import HIDDEN, Digests, Personal, canonical

DIGESTS = Digests(b"salt" * 8)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 1.0),
        (1, Decimal("1.00")),
        (0, -0.0),
        (1.5, Decimal("1.50")),
        (100, Decimal("1E+2")),
        ({"a": 1, "b": [2.0]}, {"b": [2], "a": 1.0}),
        (datetime(2026, 1, 31, tzinfo=UTC), "2026-01-31T00:00:00+00:00"),
    ],
)
def test_equal_values_are_the_same_key(one, other):
    assert DIGESTS.of("s", {"id": one}) == DIGESTS.of("s", {"id": other})


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, "1"),
        (1, True),
        (0, False),
        (1, 2),
        (10**20, 10**20 + 1),
        ("a", "a "),
        ([1, 2], [2, 1]),
        (None, "None"),
        ("1.0", "1"),
        (Decimal("0.1"), Decimal("0.10000000000000000001")),
    ],
)
def test_different_values_are_different_keys(one, other):
    assert DIGESTS.of("s", {"id": one}) != DIGESTS.of("s", {"id": other})


def test_streams_and_names_make_keys_different():
    keys = {
        DIGESTS.of("key", "a", {"x": 1}),
        DIGESTS.of("key", "b", {"x": 1}),
        DIGESTS.of("key", "a", {"y": 1}),
        DIGESTS.of("key", "a", {"x": 1, "y": 1}),
        DIGESTS.of("key", "ab", {}),
        Digests(b"other").of("key", "a", {"x": 1}),
    }

    assert len(keys) == 6


def test_the_order_of_names_makes_none():
    assert DIGESTS.of({"a": 1, "b": 2}) == DIGESTS.of({"b": 2, "a": 1})


@pytest.mark.parametrize("value", [float("nan"), float("inf"), Decimal("1E+999999"), "\ud800"])
def test_no_value_is_too_odd(value):
    assert DIGESTS.of(value) == DIGESTS.of(value)


@given(st.integers() | st.floats(allow_nan=False) | st.text() | st.booleans() | st.none())
def test_keys_differ_as_values_of_one_kind_do(value):
    for other in (0, 1, 1.5, "", "1", True, None):
        alike = type(value) is bool or type(other) is bool or value is None or other is None
        same = value is other if alike else value == other
        assert (canonical(value) == canonical(other)) == same


def shown(values, addresses=("whatsapp:+1 555 000-1234",), texts=("Hi Ann",)):
    return Personal(addresses, texts, DIGESTS).conceal(values)


@pytest.mark.parametrize(
    "value",
    ["+15550001234", "15550001234", "+1 (555) 000 1234", 15550001234, "x-15550001234-2", "Hi Ann"],
    ids=repr,
)
def test_what_is_personal_is_hidden_wherever_it_stands(value):
    assert shown({"id": value})["id"].startswith(HIDDEN)


def test_what_is_hidden_is_told_apart():
    assert shown({"id": "15550001234-1"}) != shown({"id": "15550001234-2"})
    assert shown({"id": "15550001234-1"}) == shown({"id": "15550001234-1"})


@pytest.mark.parametrize("value", [1, 1234, None, True, "spring", "+15550009999", 1.5, ["a"]])
def test_what_is_not_personal_stays(value):
    assert shown({"id": value}) == {"id": value}


def test_short_texts_hide_only_themselves():
    assert shown({"id": "Hello"}, texts=["H"]) == {"id": "Hello"}
    assert shown({"id": "H"}, texts=["H"])["id"].startswith(HIDDEN)
