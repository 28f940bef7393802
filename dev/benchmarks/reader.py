"""Drain a connector's output and count what is in it; the same for all connectors.

    connector | python -P reader.py TRUTH STATES

TRUTH is a file of the SIDs that there are, a line each, or `-`; STATES is where the STATE messages
go. What was counted is printed as JSON at the end of the input.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from pathlib import Path
from typing import BinaryIO

_SID = re.compile(rb'"sid": ?"([A-Z]{2}[0-9a-f]{32})"')
_STATE = re.compile(rb'^\{"type": ?"STATE".*$', re.MULTILINE)
_CHUNK = 1 << 20


class Tally:
    """Counts of what a connector wrote.

    Attributes:
        rows: Rows, whether seen before or not.
        size: Bytes.
        first: When the first row came, on the monotonic clock.
        seen: The SIDs of the rows.
        states: The STATE messages.
    """

    def __init__(self) -> None:
        """Start with nothing."""
        self.rows = 0
        self.size = 0
        self.first: float | None = None
        self.seen: set[bytes] = set()
        self.states: list[bytes] = []

    def add(self, lines: bytes) -> None:
        """Count whole lines."""
        self.size += len(lines)
        sids = _SID.findall(lines)
        if sids and self.first is None:
            self.first = time.monotonic()
        self.rows += len(sids)
        self.seen.update(sids)
        if b'"STATE"' in lines:
            self.states += _STATE.findall(lines)

    def result(self, truth: set[bytes] | None) -> dict[str, float | None]:
        """Compare with what there is.

        Args:
            truth: All SIDs that there are, if they are known.

        Returns:
            The counts; those of rows that are missing or unknown only if the truth is.
        """
        return {
            "rows": self.rows,
            "distinct": len(self.seen),
            "missing": None if truth is None else len(truth - self.seen),
            "unknown": None if truth is None else len(self.seen - truth),
            "bytes": self.size,
            "first": self.first,
        }


def drain(source: BinaryIO) -> Tally:
    """Read to the end.

    Args:
        source: A connector's output.

    Returns:
        What was in it.
    """
    tally = Tally()
    rest = b""
    while chunk := os.read(source.fileno(), _CHUNK):
        lines, newline, end = chunk.rpartition(b"\n")
        if newline:
            tally.add(rest + lines + newline)
            rest = end
        else:
            rest += chunk
    tally.add(rest)
    return tally


def main() -> None:
    """Drain, compare, tell."""
    truth, states = sys.argv[1:]
    tally = drain(sys.stdin.buffer)
    Path(states).write_bytes(b"\n".join(tally.states))
    known = None if truth == "-" else set(Path(truth).read_bytes().split())
    sys.stdout.write(json.dumps(tally.result(known)))


if __name__ == "__main__":
    main()
