"""Schemas as Spark types: no session is needed."""

from __future__ import annotations

import pytest
from pyspark.sql.types import StructType

from tap_twilio.records.unknown import ADDITIONAL
from tap_twilio.spark.columns import SparkColumns
from tap_twilio.spark.jobs import Job
from tests.doors.kinds import CREDENTIALS, SCHEMA


def test_each_type_has_its_own():
    kinds = {field.name: field.dataType.simpleString() for field in SparkColumns(SCHEMA).struct}
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


def test_a_column_that_there_is_not_is_told():
    columns = SparkColumns(SCHEMA)
    own = columns.struct

    assert columns.chosen(StructType([own["price"], own["sid"]])) == ["price", "sid"]
    with pytest.raises(ValueError, match="no column 'cost'; there are: sid, at"):
        columns.chosen(StructType().add("cost", "string"))
    with pytest.raises(ValueError, match=r"price is a decimal\(38,18\), no double: cast it"):
        columns.chosen(StructType().add("price", "double"))


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
