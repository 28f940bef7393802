"""Records as Arrow batches."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest

from tap_twilio.arrow.columns import Columns
from tap_twilio.arrow.reading import tap_for
from tap_twilio.records.unknown import ADDITIONAL
from tests.doors.kinds import CREDENTIALS, SCHEMA

RECORD = {
    "sid": "CA1",
    "at": "2026-03-01T05:06:07.5Z",
    "day": "2026-03-01",
    "count": 2**63 - 1,
    "price": Decimal("-0.00750"),
    "is_open": False,
    "uris": {"media": "/x", "n": Decimal("1.10")},
    "tags": ["a", None],
    "mixed": "plain",
}


def rows(records, names=None):
    return Columns(SCHEMA).batch(records, names).to_pylist()


def test_each_type_has_its_own():
    (row,) = rows([RECORD])

    assert row == {
        **RECORD,
        "at": datetime(2026, 3, 1, 5, 6, 7, 500000, tzinfo=UTC),
        "day": date(2026, 3, 1),
        "price": Decimal("-0.007500000000000000"),
        "uris": '{"media":"/x","n":1.10}',
        "tags": '["a",null]',
        ADDITIONAL: None,
    }
    columns = Columns(SCHEMA)
    assert columns.documents == ["uris", "tags"]
    assert columns.batch([RECORD]).schema == columns.schema
    assert {field.name: str(field.type) for field in columns.schema} == {
        "sid": "string",
        "at": "timestamp[us, tz=UTC]",
        "day": "date32[day]",
        "count": "int64",
        "price": "decimal128(38, 18)",
        "is_open": "bool",
        "uris": "string",
        "tags": "string",
        "mixed": "string",
        ADDITIONAL: "string",
    }


def test_what_has_no_value_is_null():
    empty, lacking = rows([dict.fromkeys(RECORD), {}])

    assert empty == lacking == dict.fromkeys([*RECORD, ADDITIONAL])


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("count", 2**63, "9223372036854775808"),
        ("count", Decimal("1.5"), "1.5"),
        ("price", Decimal("0.1234567890123456789"), "0.1234567890123456789"),
        ("price", Decimal(10**20), "100000000000000000000"),
        ("at", "soon", '"soon"'),
        ("day", "2026-03-01T05:06:07Z", '"2026-03-01T05:06:07Z"'),
        ("sid", 5, "5"),
    ],
)
def test_what_fits_no_column_is_kept_beside_them(name, value, text):
    first, second = rows([RECORD | {name: value, "new": True}, RECORD])

    assert first[name] is None
    assert first[ADDITIONAL] in {f'{{"new":true,"{name}":{text}}}', f'{{"{name}":{text}}}'}
    assert second[name] is not None
    assert second[ADDITIONAL] is None


@pytest.mark.parametrize(
    ("name", "value", "given"),
    [
        ("price", "1.50", Decimal("1.500000000000000000")),
        ("price", 2, Decimal("2.000000000000000000")),
        ("at", "2026-03-01T00:06:07-05:00", datetime(2026, 3, 1, 5, 6, 7, tzinfo=UTC)),
        ("at", "2026-03-01T05:06:07", datetime(2026, 3, 1, 5, 6, 7, tzinfo=UTC)),
        ("at", "0999-03-01T05:06:07Z", datetime(999, 3, 1, 5, 6, 7, tzinfo=UTC)),
        ("mixed", {"a": 1}, '{"a":1}'),
        ("uris", "text", '"text"'),
    ],
)
def test_values_in_other_clothes_are_read(name, value, given):
    first, second = rows([RECORD | {name: value}, RECORD])

    assert first[name] == given
    assert first[ADDITIONAL] is None
    assert second == rows([RECORD])[0]


def test_only_the_columns_that_are_wanted_are_converted():
    (row,) = rows([RECORD | {"at": object()}], ["price", "sid"])

    assert list(row) == ["price", "sid"]


@pytest.mark.parametrize("pii", ["keep", "hash", "drop"])
def test_every_stream_has_columns(pii):
    key = {} if pii == "keep" else {"pii_key": "a long and random key"}
    tap = tap_for(["accounts"], **CREDENTIALS, pii=pii, **key)

    for name, stream in tap.streams.items():
        columns = Columns(stream.schema)
        names = [column.lower() for column in columns.schema.names]
        assert len(names) == len(set(names)), name
        assert columns.batch([]).schema == columns.schema
        assert pa.types.is_string(columns.batch([], [ADDITIONAL]).schema.field(0).type)
    body = tap.streams["messages"].schema["properties"].get("body")
    assert (body is None) == (pii == "drop")
