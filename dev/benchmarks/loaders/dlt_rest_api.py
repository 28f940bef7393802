"""Run dlt's own source of REST APIs, told of Twilio: `python dlt_rest_api.py CONFIG PLACE STREAM`.

It knows Twilio's addresses only, so redirect.py starts it. It reads the whole list: to filter it by
date would lose calls that have none. This runs in the environment of dlt.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import dlt
from dlt.sources.rest_api import rest_api_source

_PATHS = {"calls": "Calls"}


def main() -> None:
    """Load once, into DuckDB."""
    config, place, stream = sys.argv[1:]
    settings = json.loads(Path(config).read_text())
    account, token = settings["account_sid"], settings["auth_token"]
    source = rest_api_source(
        {
            "client": {
                "base_url": "https://api.twilio.com/",
                "auth": {"type": "http_basic", "username": account, "password": token},
                "paginator": {"type": "json_link", "next_url_path": "next_page_uri"},
            },
            "resources": [
                {
                    "name": stream,
                    "primary_key": "sid",
                    "write_disposition": "merge",
                    "endpoint": {
                        "path": f"2010-04-01/Accounts/{account}/{_PATHS[stream]}.json",
                        "params": {"PageSize": 1000},
                        "data_selector": stream,
                    },
                }
            ],
        }
    )
    destination = dlt.destinations.duckdb(place)
    dlt.pipeline("doors", destination=destination, dataset_name="twilio").run(source)


if __name__ == "__main__":
    main()
