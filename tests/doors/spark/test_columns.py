"""Schemas as Spark types, and records as Arrow batches: no session is needed."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest
from pyspark.sql.types import StructType

from harness import STREAMS_BY_NAME
from tap_twilio.spark.columns import ADDITIONAL, Columns
from tap_twilio.spark.jobs import Job

CREDENTIALS = {"account_sid": "AC" + "1" * 32, "auth_token": "0" * 32}
SCHEMA = {
    "properties": {
        "sid": {"type": "string"},
        "at": {"type": ["string", "null"], "format": "date-time"},
        "day": {"type": ["string", "null"], "format": "date"},
        "count": {"type": ["integer", "null"]},
        "price": {"type": ["number", "null"]},
        "is_open": {"type": ["boolean", "null"]},
        "uris": {"type": ["object", "null"]},
        "tags": {"type": ["array", "null"]},
        "mixed": {"type": ["string", "object", "null"]},
    }
}
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
    columns = Columns(SCHEMA)
    return columns.batch(records, names or columns.struct.names).to_pylist()


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
    kinds = {field.name: field.dataType.simpleString() for field in Columns(SCHEMA).struct}
    assert kinds == {
        "sid": "string",
        "at": "timestamp",
        "day": "date",
        "count": "bigint",
        "price": "decimal(38,18)",
        "is_open": "boolean",
        "uris": "string",
        "tags": "string",
        "mixed": "string",
        ADDITIONAL: "string",
    }


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("count", 2**63, "9223372036854775808"),
        ("count", Decimal("1.5"), "1.5"),
        ("price", Decimal("0.1234567890123456789"), "0.1234567890123456789"),
        ("price", Decimal(10**20), "100000000000000000000"),
        ("at", "soon", '"soon"'),
        ("sid", 5, "5"),
    ],
)
def test_what_fits_no_column_is_kept_beside_them(name, value, text):
    first, second = rows([RECORD | {name: value, "new": True}, RECORD])

    assert first[name] is None
    assert first[ADDITIONAL] in {f'{{"new":true,"{name}":{text}}}', f'{{"{name}":{text}}}'}
    assert second[name] is not None
    assert second[ADDITIONAL] is None


def test_only_the_columns_that_are_wanted_are_converted():
    (row,) = rows([RECORD | {"at": object()}], ["price", "sid"])

    assert list(row) == ["price", "sid"]


def test_a_column_that_there_is_not_is_told():
    columns = Columns(SCHEMA)
    own = columns.struct

    assert columns.chosen(StructType([own["price"], own["sid"]])) == ["price", "sid"]
    with pytest.raises(ValueError, match="no column 'cost'; there are: sid, at"):
        columns.chosen(StructType().add("cost", "string"))
    with pytest.raises(ValueError, match=r"price is a decimal\(38,18\), no double: cast it"):
        columns.chosen(StructType().add("price", "double"))


@pytest.mark.parametrize("pii", ["keep", "hash", "drop"])
def test_every_stream_is_a_table(pii):
    key = {} if pii == "keep" else {"pii_key": "a long and random key"}
    job = Job("accounts", CREDENTIALS | {"pii": pii} | key)
    tap = job.tap()

    for name in STREAMS_BY_NAME:
        columns = Columns(tap.streams[name].schema)
        names = [column.lower() for column in columns.struct.names]
        assert len(names) == len(set(names)), name
        assert columns.batch([], columns.struct.names).num_rows == 0
        assert pa.types.is_string(columns.batch([], [ADDITIONAL]).schema.field(0).type)
    body = tap.streams["messages"].schema["properties"].get("body")
    assert (body is None) == (pii == "drop")


def test_filters_are_those_that_twilio_knows():
    def filters(stream, **settings):
        return Job(stream, CREDENTIALS | settings).table().filters

    assert filters("messages") == {"to": None, "from": None}
    assert filters("calls")["status"] >= {"busy", "completed"}
    # The columns of these are objects.
    assert filters("insights_call_summaries") == {}
    # Twilio knows no hashes.
    assert filters("messages", pii="hash", pii_key="a long and random key") == {}


def test_children_are_cut_by_the_dates_of_their_parents():
    def dates(stream):
        found = Job(stream, CREDENTIALS).table().dates
        return None if found is None else (found.key, found.precision.value)

    assert dates("messages") == ("date_sent", "second")
    assert dates("message_media") == (None, "second")
    assert dates("usage_records_monthly") == ("start_date", "month")
    assert dates("usage_records") is None
    assert dates("addresses") is None
