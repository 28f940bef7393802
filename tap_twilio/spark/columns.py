"""A stream's columns as Spark has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
from pyspark.sql.types import (
    BooleanType,
    DateType,
    DecimalType,
    LongType,
    StringType,
    StructField,
    StructType,
    TimestampType,
)

from tap_twilio.arrow.columns import SCALE, Columns

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_TYPES = {
    pa.string(): StringType(),
    pa.int64(): LongType(),
    pa.decimal128(38, SCALE): DecimalType(38, SCALE),
    pa.bool_(): BooleanType(),
    pa.timestamp("us", tz="UTC"): TimestampType(),
    pa.date32(): DateType(),
}


class SparkColumns(Columns):
    """The columns of a stream, in Spark.

    Attributes:
        struct: Their Spark types.
    """

    def __init__(self, schema: Mapping[str, Any]) -> None:
        """Translate a stream's JSON schema."""
        super().__init__(schema)
        self.struct = StructType([StructField(one.name, _TYPES[one.type]) for one in self.schema])

    def chosen(self, struct: StructType) -> list[str]:
        """Check the columns that a reader was asked for, and give their names.

        Raises:
            ValueError: The stream has no such column, or it is of another type.
        """
        own = {field.name: field.dataType for field in self.struct}
        for field in struct:
            if field.name not in own:
                msg = f"there is no column {field.name!r}; there are: {', '.join(own)}"
                raise ValueError(msg)
            if field.dataType != own[field.name]:
                msg = (
                    f"the column {field.name} is a {own[field.name].simpleString()}, "
                    f"no {field.dataType.simpleString()}: cast it after it is read"
                )
                raise ValueError(msg)
        return [field.name for field in struct]
