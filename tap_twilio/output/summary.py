"""The end of a run, as a table that is no wider than a terminal."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

WIDTH: Final = 71
"""Columns of a line: a terminal has 80, and the time of day comes before the line."""


@dataclass(frozen=True, slots=True)
class Row:
    """What the summary tells of a stream.

    Attributes:
        bookmark: The oldest of those of all accounts.
        notes: What else there is to tell.
    """

    stream: str
    records: int
    requests: int
    bookmark: str = ""
    notes: list[str] = field(default_factory=list)


def table(rows: Sequence[Row]) -> Iterator[str]:
    """Write a table; a name that is too long for its column has a line of its own."""
    if not rows:
        return
    cells = [
        ("records", "requests", "oldest bookmark" if any(row.bookmark for row in rows) else ""),
        *((f"{row.records:,}", f"{row.requests:,}", row.bookmark) for row in rows),
    ]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    room = WIDTH - sum(width + 2 for width in widths if width) - 2
    names = ["stream", *(row.stream for row in rows)]
    first = min(room, max(map(len, names)))
    notes: list[list[str]] = [[], *(row.notes for row in rows)]
    for name, (records, requests, bookmark), more in zip(names, cells, notes, strict=True):
        shown = name
        if len(name) > first:
            yield f"  {name}"
            shown = ""
        line = f"  {shown:{first}}  {records:>{widths[0]}}  {requests:>{widths[1]}}  {bookmark}"
        yield line.rstrip()
        yield from (f"    {note}" for note in more)


def wrapped(line: str, width: int) -> list[str]:
    """Cut a line where words end."""
    return textwrap.wrap(
        line,
        width,
        initial_indent="  ",
        subsequent_indent="    ",
        break_long_words=False,
        break_on_hyphens=False,
    )
