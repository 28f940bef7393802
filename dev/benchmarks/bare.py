"""The least that any tap must do: fetch pages, decode them, encode their rows, write these out.

`python -m benchmarks.bare CONFIG STREAM ...`: no schema, no types, no state, no messages, one
request after the other.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import msgspec
import requests

_RESOURCES = {"calls": "Calls", "messages": "Messages"}


def main() -> None:
    """Copy what there is to standard output."""
    config = json.loads(Path(sys.argv[1]).read_text())
    decoder = msgspec.json.Decoder(dict[str, Any])
    encoder = msgspec.json.Encoder()
    api = f"{config['base_url']}/api"
    with requests.Session() as session:
        session.auth = (config["account_sid"], config["auth_token"])
        for stream in sys.argv[2:]:
            link = (
                f"/2010-04-01/Accounts/{config['account_sid']}/{_RESOURCES[stream]}.json"
                "?PageSize=1000"
            )
            while link:
                page = decoder.decode(session.get(api + link, timeout=60).content)
                sys.stdout.buffer.write(encoder.encode_lines(page[stream]))
                link = page["next_page_uri"]


if __name__ == "__main__":
    main()
