"""Run a recipe for PyAirbyte with first.json, second.json and wrong.json as its config.json.

What came of each is written as a line of JSON.
"""

from __future__ import annotations

import json
import runpy
import shutil
import sys

from airbyte.exceptions import AirbyteConnectorCheckFailedError


def tell(outcome: object) -> None:
    sys.stdout.write(f"OUTCOME {json.dumps(outcome)}\n")


for name in ("first", "second", "wrong"):
    shutil.copy(f"{name}.json", "config.json")
    try:
        result = runpy.run_path(sys.argv[1])["result"]
    except AirbyteConnectorCheckFailedError as error:
        tell({"error": str(error)})
    else:
        sids = {stream: [row["sid"] for row in dataset] for stream, dataset in result.items()}
        tell({"processed": result.processed_records, "sids": sids})
