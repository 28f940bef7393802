"""Run the tap's source of dlt: `python dlt_twilio.py DESTINATION PLACE STREAM ...`.

Settings of the tap come from the environment. This runs in the environment of dlt.
"""

from __future__ import annotations

import sys

import dlt

from tap_twilio.dlt import twilio


def main() -> None:
    """Load once."""
    kind, place, *streams = sys.argv[1:]
    destination = getattr(dlt.destinations, kind)(place)
    pipeline = dlt.pipeline("doors", destination=destination, dataset_name="twilio")
    files = {"loader_file_format": "parquet"} if kind == "filesystem" else {}
    pipeline.run(twilio(streams=streams), **files)


if __name__ == "__main__":
    main()
