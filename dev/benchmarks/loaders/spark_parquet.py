"""Write a stream into files of Parquet by Spark: `python spark_parquet.py PLACE STREAM`.

Settings of the tap come from the environment. This runs in the environment of Spark.
"""

from __future__ import annotations

import sys

from pyspark.sql import SparkSession

from tap_twilio.spark import TwilioDataSource


def main() -> None:
    """Read once, on this machine."""
    place, stream = sys.argv[1:]
    builder = SparkSession.builder.config("spark.sql.python.filterPushdown.enabled", "true")
    spark = builder.config("spark.ui.enabled", "false").getOrCreate()
    spark.dataSource.register(TwilioDataSource)
    rows = spark.read.format("twilio").option("stream", stream).load()
    rows.write.parquet(f"{place}/{stream}")
    spark.stop()


if __name__ == "__main__":
    main()
