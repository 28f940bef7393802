"""Write the tables of settings and streams from the tap itself.

Run ``python dev/scripts/update_readme.py`` after a change to settings or streams; with ``--check``
it writes nothing and ends with 1 if one of the pages is out of date.
"""

from __future__ import annotations

import json
import math
import re
import sys
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, cast

import yaml

from tap_twilio.config.schema import SCHEMA
from tap_twilio.resource.schemas import load
from tap_twilio.streams import STREAMS
from tap_twilio.streams.accounts import Accounts

if TYPE_CHECKING:
    from datetime import timedelta

    from tap_twilio.streams.base import TwilioStream

ROOT = Path(__file__).parents[2]
SETTINGS = ROOT / "docs" / "settings.md"
CATALOGUE = ROOT / "docs" / "streams.md"
DATE_FILTERS = ROOT / "dev" / "scripts" / "date_filters.yaml"

INTRODUCTION = """\
# Streams

All streams by Twilio product. *Default* streams are read when no catalog selects others.

*Replication key*: where there is one, a run reads on from the bookmark of the run before, less the
time that Twilio still changes rows. A bookmark is an account's, also where the list is below
another; it moves once the list was read for all parents. A stream that is selected later than its
parent or child has no bookmark yet, and is read for all that there is. For its sake the parent is
read again; rows that the target has had from it aren't sent again.

*Key*: where Twilio may leave a part of it out, what stands in for that is in brackets.

*Requests*: a list costs one for each page. A stream with a parent costs so many for each of the
parent's records, and one for each further page.

This page is written by `dev/scripts/update_readme.py`."""

FILTERED = """\
## Read without their date filter

Twilio can filter these lists by date, but not so that a filter would find what is new."""


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
        "| stream | what it holds | key | replication key | parent | requests | default |",
        "|---|---|---|---|---|---|---|",
    ]
    for stream in streams:
        parent = _parent(stream)
        key = ", ".join(_part(name, stream) for name in stream.primary_keys)
        by = ""
        if stream.window is not None:
            by = f"`{stream.replication_key}`, {_span(stream.lookback)} back"
        description = (stream.__doc__ or "").strip().splitlines()[0]
        default = "yes" if stream.selected_by_default else ""
        above = f"`{parent.name}`" if parent is not None else ""
        lines.append(
            f"| `{stream.name}` | {description} | {key} | {by} | {above} | {_requests(stream)} "
            f"| {default} |"
        )
    return "\n".join(lines)


def _part(name: str, stream: type[TwilioStream]) -> str:
    stand_in = f" (or `{json.dumps(stream.stand_ins[name])}`)" if name in stream.stand_ins else ""
    return f"`{name}`{stand_in}"


def _parent(stream: type[TwilioStream]) -> type[TwilioStream] | None:
    parent = cast("type[TwilioStream] | None", stream.parent_stream_type)
    return None if parent is Accounts else parent


def _span(time: timedelta) -> str:
    count, unit = (time.days, "day") if time.days else (time.seconds // 3600, "hour")
    return f"{count} {unit}{'' if count == 1 else 's'}"


def _requests(stream: type[TwilioStream]) -> str:
    lists = math.prod(len(v) for v in (*stream.fan_out.values(), *stream.path_values.values()))
    if _parent(stream) is not None:
        return f"{lists} per parent"
    _, endpoint = load(stream.product, stream.name)
    if endpoint.data_key is None or endpoint.paging == "none":
        return f"{lists} per account"
    return "1 per page" if lists == 1 else f"1 per page of {lists} lists"


def catalogue() -> str:
    """Write the page of all streams.

    Returns:
        Markdown.
    """
    parts = [INTRODUCTION]
    for product, streams in groupby(sorted(STREAMS, key=_product), key=_product):
        parts.append(f"## {product}\n\n{streams_table(list(streams))}")
    parts.append(f"{FILTERED}\n\n{filtered_table()}")
    return "\n\n".join(parts) + "\n"


def filtered_table() -> str:
    """Write the table of streams that are read without their date filter.

    Returns:
        Markdown.
    """
    reasons = yaml.safe_load(DATE_FILTERS.read_text(encoding="utf-8"))
    lines = ["| stream | why |", "|---|---|"]
    return "\n".join([*lines, *(f"| `{name}` | {why} |" for name, why in reasons.items())])


def _product(stream: type[TwilioStream]) -> str:
    return stream.product


def written(text: str) -> str:
    """Put the table of settings in its place.

    Args:
        text: The page of settings.

    Returns:
        The page, up to date.
    """
    pattern = r"(<!-- settings -->\n).*?(\n<!-- end of settings -->)"
    return re.sub(
        pattern, lambda found: found[1] + settings_table() + found[2], text, flags=re.DOTALL
    )


def main() -> int:
    """Write, or check.

    Returns:
        Exit code.
    """
    pages = {SETTINGS: written(SETTINGS.read_text()), CATALOGUE: catalogue()}
    stale = [path for path, text in pages.items() if not path.exists() or path.read_text() != text]
    if "--check" not in sys.argv:
        CATALOGUE.parent.mkdir(exist_ok=True)
        for path in stale:
            path.write_text(pages[path])
        return 0
    for path in stale:
        sys.stderr.write(f"{path.name} is out of date: run python dev/scripts/update_readme.py\n")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
