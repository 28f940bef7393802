"""Read a source with PyAirbyte: `python pyairbyte.py EXECUTABLE CONFIG PLACE STREAM ...`.

This runs in the environment of PyAirbyte.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import airbyte as ab


def main() -> None:
    """Read once, into DuckDB."""
    executable, config, place, *streams = sys.argv[1:]
    source = ab.get_source(
        "source-twilio",
        config=json.loads(Path(config).read_text()),
        streams=streams,
        local_executable=executable,
        install_if_missing=False,
    )
    source.read(cache=ab.DuckDBCache(db_path=place, schema_name="twilio"))


if __name__ == "__main__":
    main()
