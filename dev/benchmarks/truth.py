"""Write down the SIDs of all rows that there are to read.

It runs in a process of its own, as it makes every row: `python -m benchmarks.truth FILE`, with a
JSON object on standard input: `options` of the sandbox, `streams`, and `advance`, the seconds after
which only the rows that are new then count.
"""

from __future__ import annotations

import json
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox import Sandbox
from sandbox.paths import ACCOUNT, CALLS, MESSAGES

if TYPE_CHECKING:
    from collections.abc import Iterable

PATHS = {
    "calls": CALLS,
    "messages": MESSAGES,
    "message_media": f"{ACCOUNT}/Messages/{{MessageSid}}/Media.json",
}


def sids(twilio: Sandbox, streams: Iterable[str]) -> set[str]:
    """Give the SIDs of all rows.

    Args:
        twilio: The sandbox; it need not listen.
        streams: Names of streams.

    Returns:
        The SIDs of these streams in all accounts.
    """
    return {
        row["sid"]
        for stream in streams
        for account in twilio.accounts
        for row in twilio.truth("api", PATHS[stream], account_sid=account.sid)
    }


def main() -> None:
    """Read what is wanted, write the SIDs."""
    wanted = json.load(sys.stdin)
    twilio = Sandbox(**wanted["options"])
    found = sids(twilio, wanted["streams"])
    if wanted["advance"]:
        twilio.advance(timedelta(seconds=wanted["advance"]))
        found = sids(twilio, wanted["streams"]) - found
    Path(sys.argv[1]).write_text("\n".join(found))


if __name__ == "__main__":
    main()
