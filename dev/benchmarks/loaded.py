"""Compare rows that were loaded with those that there are: `python -m benchmarks.loaded ...`.

    python -m benchmarks.loaded TRUTH STREAM PLACE

TRUTH is a file of the SIDs that there are, a line each, or `-`. PLACE is a file of DuckDB, with the
schema `twilio`; or a folder of Parquet files, below one of the stream's name; or `-`: then SIDs are
read from standard input. What was counted is printed as JSON.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import duckdb

from benchmarks.reader import Tally


def loaded(place: str, stream: str) -> list[str]:
    """Give the SIDs of rows that were loaded.

    Args:
        place: Where to.
        stream: Name of the stream.

    Returns:
        A SID for each row.
    """
    if place == "-":
        return sys.stdin.read().split()
    if Path(place).is_dir():
        with duckdb.connect() as database:
            files = f"{place}/**/{stream}/*.parquet"
            rows = database.execute("SELECT sid FROM read_parquet(?)", [files]).fetchall()
    else:
        with duckdb.connect(place, read_only=True) as database:
            rows = database.execute(f"SELECT sid FROM twilio.{stream}").fetchall()  # noqa: S608
    return [sid for (sid,) in rows]


def main() -> None:
    """Look, compare, tell."""
    truth, stream, place = sys.argv[1:]
    tally = Tally()
    sids = [sid.encode() for sid in loaded(place, stream)]
    tally.rows, tally.seen = len(sids), set(sids)
    known = None if truth == "-" else set(Path(truth).read_bytes().split())
    sys.stdout.write(json.dumps(tally.result(known)))


if __name__ == "__main__":
    main()
