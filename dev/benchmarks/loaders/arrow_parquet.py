"""Write a stream's Arrow batches into a file of Parquet: `python arrow_parquet.py PLACE STREAM`.

Settings of the tap come from the environment. This runs in the environment of dlt.
"""

from __future__ import annotations

import sys
from pathlib import Path

from pyarrow import parquet

from tap_twilio import arrow


def main() -> None:
    """Read once."""
    place, stream = sys.argv[1:]
    path = Path(place) / stream / "rows.parquet"
    path.parent.mkdir(parents=True)
    batches = arrow.read(stream)
    with parquet.ParquetWriter(path, batches.schema) as file:
        for batch in batches:
            file.write_batch(batch)


if __name__ == "__main__":
    main()
