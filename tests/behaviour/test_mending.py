"""JSON that isn't quite: what a strict decoder refuses is replaced, and all else stays."""

from __future__ import annotations

import contextlib
import json
import re
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tap_twilio.http.mending import DEEPEST, mend
from tap_twilio.http.pagination import CutError, ShapeError, decode, read, salvage

FEW = settings(max_examples=60, deadline=None)
TEXT = st.text(st.characters(codec="utf-8"))
ANY_TEXT = st.text(st.characters())
LEAVES = (
    st.none() | st.booleans() | st.integers() | st.decimals(allow_nan=False, allow_infinity=False)
)


def json_of(texts):
    return st.recursive(
        LEAVES | texts,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
        max_leaves=12,
    )


def bodies(texts):
    return st.fixed_dictionaries(
        {"calls": st.lists(st.dictionaries(texts, json_of(texts), max_size=5), max_size=3)}
    )


def write(value, **options):
    plain = json.dumps(value, default=lambda number: f"decimal {number}", **options)
    return re.sub(r'"decimal ([^"]*)"', r"\1", plain)


def without_halves(value):
    """Join surrogates to characters, and replace those that are left alone."""
    if isinstance(value, str):
        joined = value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return re.sub("[\ud800-\udfff]", "\ufffd", joined)
    if isinstance(value, list):
        return [without_halves(one) for one in value]
    if isinstance(value, dict):
        return {without_halves(name): without_halves(one) for name, one in value.items()}
    return value


@FEW
@given(bodies(TEXT), st.booleans(), st.sampled_from([None, 2]))
def test_proper_json_stays_as_it_is(value, ascii_only, indent):
    body = write(value, ensure_ascii=ascii_only, indent=indent).encode()

    mended = mend(body)

    assert mended.body == body
    assert (mended.is_cut, mended.is_marked, mended.places) == (False, False, frozenset())


@FEW
@given(bodies(ANY_TEXT))
def test_halves_of_surrogates_are_all_that_is_replaced(value):
    body = write(value).encode()

    mended = mend(body)

    decoder = msgspec.json.Decoder(float_hook=Decimal)
    assert decoder.decode(mended.body) == without_halves(json.loads(body, parse_float=Decimal))
    assert bool(mended.places) == (mended.body != body)


@FEW
@given(st.binary(), st.integers(0, 60), bodies(TEXT))
def test_bytes_that_strayed_in_end_in_rows_or_an_error_of_ours(stray, place, value):
    body = write(value).encode()
    with contextlib.suppress(ShapeError):
        listing = read("uri", body[:place] + stray + body[place:], "calls")
        try:
            rows = decode(listing.rows)
        except ShapeError:
            rows = decode(salvage(listing.rows)[0])
        for row in rows:
            msgspec.json.encode(row)


@FEW
@given(bodies(TEXT).filter(lambda value: len(write(value)) > 20), st.data())
def test_what_is_cut_is_told_from_what_is_wrong(value, data):
    body = write(value).encode()
    end = data.draw(st.integers(0, len(body) - 1))

    with pytest.raises(CutError):
        read("uri", body[:end], "calls")


def test_places_are_named_by_field():
    body = (
        rb'{"n":NaN,"calls":[{"a":"\ud83d"},{"b":{"c":[{"\ud83d":1}],"d":1}}],"e":{"f":{"g":NaN}}}'
    )

    assert mend(body).places == {("n",), ("calls", "a"), ("calls", "b"), ("e", "f")}
    assert read("uri", body, "calls").oddities == tuple(
        f"field '{name}' wasn't proper JSON, and was mended: what is no character became U+FFFD, "
        "what is no number null"
        for name in "aben"
    )


def test_what_lies_too_deep_is_left_out():
    deep = b"[" * (DEEPEST - 1), b"]" * (DEEPEST - 1)

    assert mend(b'{"a":%s1%s}' % deep).places == frozenset()
    mended = mend(b'{"a":%s{"x":[1,{"y":2}]}%s,"b":1}' % deep)

    assert mended.body == b'{"a":%snull%s,"b":1}' % deep
    assert mended.places == {("a",)}
