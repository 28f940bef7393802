"""Write the README's tables from the tap itself.

Run ``python scripts/update_readme.py`` after a change to settings or streams; with ``--check`` it
writes nothing and ends with 1 if the README is out of date.
"""

from __future__ import annotations

import re
import sys
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, cast

from tap_twilio.settings import SCHEMA
from tap_twilio.streams import STREAMS
from tap_twilio.streams.accounts import Accounts

if TYPE_CHECKING:
    from tap_twilio.stream import TwilioStream

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
CATALOGUE = ROOT / "docs" / "streams.md"

INTRODUCTION = """\
# Streams

All streams by Twilio product. *Read for each* says what one request is made for: a stream read
for each call costs at least a request a call. *Default* streams are read when no catalog selects
others.

This page is written by `scripts/update_readme.py`."""


def settings_table() -> str:
    """Write the table of settings.

    Returns:
        Markdown.
    """
    lines = ["| setting | default | what it is |", "|---|---|---|"]
    for name, schema in SCHEMA["properties"].items():
        marks = " (secret)" if schema.get("secret") else ""
        default = f"`{str(schema['default']).lower()}`" if "default" in schema else ""
        lines.append(f"| `{name}`{marks} | {default} | {schema['description']} |")
    return "\n".join(lines)


def streams_table(streams: list[type[TwilioStream]]) -> str:
    """Write a table of streams.

    Args:
        streams: Stream classes.

    Returns:
        Markdown.
    """
    lines = [
        "| stream | what it holds | key | incremental by | read for each | default |",
        "|---|---|---|---|---|---|",
    ]
    for stream in streams:
        parent = cast("type[TwilioStream] | None", stream.parent_stream_type)
        above = parent.name if parent is not None and parent is not Accounts else "account"
        key = ", ".join(f"`{name}`" for name in stream.primary_keys) or "none"
        by = ""
        if stream.window is not None:
            days = stream.lookback.total_seconds() / 86400
            by = f"`{stream.replication_key}`, {days:g} days back"
        description = (stream.__doc__ or "").strip().splitlines()[0]
        default = "yes" if stream.selected_by_default else ""
        name = f"`{stream.name}`"
        each = "" if parent is None else above
        lines.append(f"| {name} | {description} | {key} | {by} | {each} | {default} |")
    return "\n".join(lines)


def core_streams() -> str:
    """Write the table of streams that are selected by default, or incremental.

    Returns:
        Markdown.
    """
    return streams_table(
        [stream for stream in STREAMS if stream.selected_by_default or stream.window is not None]
    )


def products_table() -> str:
    """Write how many streams each product has.

    Returns:
        Markdown.
    """
    lines = ["| product | streams |", "|---|---|"]
    for product, streams in groupby(sorted(STREAMS, key=_product), key=_product):
        names = [f"`{stream.name}`" for stream in streams]
        shown = ", ".join(names[:4]) + (", …" if len(names) > 4 else "")  # noqa: PLR2004
        lines.append(f"| [{product}](docs/streams.md#{product}) | {len(names)}: {shown} |")
    return "\n".join(lines)


def catalogue() -> str:
    """Write the page of all streams.

    Returns:
        Markdown.
    """
    parts = [INTRODUCTION]
    for product, streams in groupby(sorted(STREAMS, key=_product), key=_product):
        parts.append(f"## {product}\n\n{streams_table(list(streams))}")
    return "\n\n".join(parts) + "\n"


def _product(stream: type[TwilioStream]) -> str:
    return stream.product


TABLES = {
    "settings": settings_table,
    "streams": core_streams,
    "products": products_table,
}


def written(text: str) -> str:
    """Put the tables in their places.

    Args:
        text: The README.

    Returns:
        The README, up to date.
    """
    for name, table in TABLES.items():
        pattern = rf"(<!-- {name} -->\n).*?(\n<!-- end of {name} -->)"
        text = re.sub(pattern, lambda found: found[1] + table() + found[2], text, flags=re.DOTALL)  # noqa: B023
    return text


def main() -> int:
    """Write, or check.

    Returns:
        Exit code.
    """
    pages = {README: written(README.read_text()), CATALOGUE: catalogue()}
    stale = [path for path, text in pages.items() if not path.exists() or path.read_text() != text]
    if "--check" not in sys.argv:
        CATALOGUE.parent.mkdir(exist_ok=True)
        for path in stale:
            path.write_text(pages[path])
        return 0
    for path in stale:
        sys.stderr.write(f"{path.name} is out of date: run python scripts/update_readme.py\n")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
