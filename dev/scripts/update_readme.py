"""Write the pages of settings, streams and the target from the programs themselves.

Run ``python dev/scripts/update_readme.py`` after a change to what they tell; with ``--check``
it writes nothing and ends with 1 if one of the pages is out of date.
"""

from __future__ import annotations

import json
import re
import sys
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from tap_twilio.config.schema import SCHEMA
from tap_twilio.records.secrets import NAMES
from tap_twilio.resource.schemas import DIRECTORY, PII_MARK, load, types
from tap_twilio.streams import STREAMS
from tap_twilio.streams.listing import parent_of, requests
from target_twilio.actions import ACTIONS
from target_twilio.codes import MEANINGS
from target_twilio.schema import SCHEMA as OF_THE_TARGET

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import timedelta

    from tap_twilio.streams.base import TwilioStream

ROOT = Path(__file__).parents[2]
SETTINGS = ROOT / "docs" / "settings.md"
TARGET = ROOT / "docs" / "target.md"
CATALOGUE = ROOT / "docs" / "streams.md"
ENTRIES = ROOT / "docs" / "streams"
DATE_FILTERS = ROOT / "dev" / "scripts" / "date_filters.yaml"

WRITTEN = "This page is written by `dev/scripts/update_readme.py`."

INTRODUCTION = f"""\
# Streams

The tap has {len(STREAMS)} streams. They are listed here by Twilio product. Each name leads to the
stream's entry, which has its key, its filters and all of its fields.

- **Replication key**: a stream that has one is incremental. A run reads on from the bookmark of the
  run before, less the look-back: the time in which Twilio still changes rows. Other streams are
  read whole by each run.
- **Parent**: the tap reads the list once for each record of the parent. You can select a child
  alone: then the tap reads the parent, and does not write it.
- **Requests**: each further page of a list costs one request more.
- **Default**: the tap reads these streams when neither `--select` nor a catalog selects others.

`tap-twilio --streams` prints the same list. [Choose streams](getting-started.md#choose-streams)
tells how to select.

[Incremental and state](incremental.md) tells how bookmarks of parents and children go together.
{WRITTEN}"""

FILTERED = """\
## Read without their date filter

Twilio filters these lists by date, but such a filter does not find what is new."""

NAVIGATION = """\
```{toctree}
:hidden:
:glob:

streams/*
```"""


def settings_table(properties: Mapping[str, dict[str, Any]]) -> str:
    """Write a table of settings.

    Args:
        properties: Their JSON schemas, by their names.

    Returns:
        Markdown.
    """
    lines = ["| setting | type | default | what it does |", "|---|---|---|---|"]
    for name, schema in properties.items():
        default = f"`{str(schema['default']).lower()}`" if "default" in schema else ""
        kind = "secret" if schema.get("secret") else types(schema)[0]
        lines.append(f"| `{name}` | {kind} | {default} | {schema['description']} |")
    return "\n".join(lines)


def examples(properties: Mapping[str, dict[str, Any]]) -> str:
    """Write a configuration that has an example of each list and object.

    Args:
        properties: JSON schemas of settings, by their names.

    Returns:
        Markdown.
    """
    shown = {
        name: schema["examples"][0]
        for name, schema in properties.items()
        if types(schema)[0] in {"array", "object"}
    }
    return f"```json\n{json.dumps(shown, indent=2)}\n```"


def actions_table() -> str:
    """Write the table of the target's actions.

    Returns:
        Markdown.
    """
    lines = ["| action | required | other fields | outcome |", "|---|---|---|---|"]
    for action in ACTIONS.values():
        others = (name for name in action.fields if name not in action.required)
        lines.append(
            f"| `{action.name}` | {_names(action.required)} | {_names(others)} | `{action.done}` |"
        )
    return "\n".join(lines)


def codes_table() -> str:
    """Write the table of Twilio's codes that the target explains.

    Returns:
        Markdown.
    """
    lines = ["| code | what it means |", "|---|---|"]
    return "\n".join([*lines, *(f"| {code} | {meaning} |" for code, meaning in MEANINGS.items())])


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def streams_table(streams: list[type[TwilioStream]]) -> str:
    """Write a table of streams.

    Args:
        streams: Stream classes.

    Returns:
        Markdown.
    """
    lines = [
        "| stream | what it holds | replication key | parent | requests | default |",
        "|---|---|---|---|---|---|",
    ]
    for stream in streams:
        parent = parent_of(stream)
        above = f"`{parent.name}`" if parent is not None else ""
        default = "yes" if stream.selected_by_default else ""
        lines.append(
            f"| {_link(stream)} | {_description(stream)} | {_dates(stream)} | {above} "
            f"| {requests(stream)} | {default} |"
        )
    return "\n".join(lines)


def entry(stream: type[TwilioStream]) -> str:
    """Write a stream's entry: its facts, and a table of its fields.

    Returns:
        Markdown.
    """
    facts = "\n".join(f"- {name}: {value}" for name, value in _facts(stream) if value)
    return f"## {stream.name}\n\n{_description(stream)}\n\n{facts}\n\n{fields_table(stream)}"


def _facts(stream: type[TwilioStream]) -> Iterator[tuple[str, str]]:
    parent = parent_of(stream)
    _, endpoint = load(stream.product, stream.name)
    bounds = set(stream.window.names) if stream.window is not None else set()
    filters = [name for name, wire in endpoint.parameters.items() if wire not in bounds]
    yield "Key", ", ".join(_part(name, stream) for name in stream.primary_keys)
    yield "Replication key", _dates(stream)
    yield "Parent", "" if parent is None else _link(parent, ENTRIES)
    yield "Requests", requests(stream)
    yield "Read by default", "yes" if stream.selected_by_default else "no"
    yield f"Parameters for `filters.{stream.name}`", ", ".join(f"`{name}`" for name in filters)


def fields_table(stream: type[TwilioStream]) -> str:
    """Write the table of a stream's fields.

    Returns:
        Markdown.
    """
    schema = DIRECTORY.fetch_schema(f"{stream.product}/{stream.name}")
    hidden = NAMES.union(stream.secret_fields)
    lines = ["| field | type | notes |", "|---|---|---|"]
    for name, field in schema["properties"].items():
        if name not in hidden:
            notes = "; ".join(_notes(name, field, stream))
            lines.append(f"| `{name}` | {_type(field)} | {notes} |")
    return "\n".join(lines)


def _type(field: dict[str, Any]) -> str:
    if "format" in field:
        return str(field["format"])
    kinds = [kind if kind != "array" else _array(field) for kind in types(field)]
    return " or ".join(kinds) or "any"


def _array(field: dict[str, Any]) -> str:
    items = types(field.get("items", {}))
    return f"array of {items[0]}s" if items else "array"


def _notes(name: str, field: dict[str, Any], stream: type[TwilioStream]) -> Iterator[str]:
    if name in stream.primary_keys:
        yield "key"
    if PII_MARK in field:
        yield "personal"
    if prefixes := field.get("x-twilio-sid"):
        every = [prefixes] if isinstance(prefixes, str) else prefixes
        yield "SID: " + ", ".join(f"`{prefix}…`" for prefix in every)
    if values := field.get("x-twilio-enum"):
        yield ", ".join(f"`{value}`" for value in values)


def _link(stream: type[TwilioStream], page: Path = CATALOGUE.parent) -> str:
    folder = "" if page == ENTRIES else f"{ENTRIES.name}/"
    return f"[`{stream.name}`]({folder}{stream.product}.md#{stream.name})"


def _description(stream: type[TwilioStream]) -> str:
    return (stream.__doc__ or "").strip().splitlines()[0]


def _dates(stream: type[TwilioStream]) -> str:
    if stream.exported is not None:
        return f"`{stream.replication_key}`"
    if stream.window is None:
        return ""
    return f"`{stream.replication_key}`, {_span(stream.lookback)} back"


def _part(name: str, stream: type[TwilioStream]) -> str:
    if name not in stream.stand_ins:
        return f"`{name}`"
    return f"`{name}` (`{json.dumps(stream.stand_ins[name])}` where Twilio leaves it out)"


def _span(time: timedelta) -> str:
    count, unit = (time.days, "day") if time.days else (time.seconds // 3600, "hour")
    return f"{count} {unit}{'' if count == 1 else 's'}"


def by_product() -> dict[str, list[type[TwilioStream]]]:
    """Give the streams of each product.

    Returns:
        Stream classes by the product's name.
    """
    products = groupby(sorted(STREAMS, key=_product), key=_product)
    return {product: list(streams) for product, streams in products}


def catalogue() -> str:
    """Write the page of all streams.

    Returns:
        Markdown.
    """
    parts = [INTRODUCTION]
    for product, streams in by_product().items():
        parts.append(f"## {product}\n\n{streams_table(streams)}")
    parts.append(f"{FILTERED}\n\n{filtered_table()}")
    return "\n\n".join([*parts, NAVIGATION]) + "\n"


def entries(product: str, streams: list[type[TwilioStream]]) -> str:
    """Write the page of a product's streams.

    Returns:
        Markdown.
    """
    parts = [f"# {product}", WRITTEN, *map(entry, streams)]
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


def written(text: str, parts: Mapping[str, str]) -> str:
    """Put generated parts in their places.

    Args:
        text: A page.
        parts: What belongs between the comments of these names.

    Returns:
        The page, up to date.
    """
    for name, part in parts.items():
        text = _replaced(text, name, part)
    return text


def _replaced(text: str, name: str, part: str) -> str:
    pattern = rf"(<!-- {name} -->\n).*?(<!-- end of {name} -->)"
    return re.sub(pattern, lambda found: f"{found[1]}{part}\n{found[2]}", text, flags=re.DOTALL)


def pages() -> dict[Path, str]:
    """Write all of the pages.

    Returns:
        Their texts, by their paths.
    """
    products = {
        ENTRIES / f"{product}.md": entries(product, streams)
        for product, streams in by_product().items()
    }
    own, others = SCHEMA["properties"], OF_THE_TARGET["properties"]
    of_the_tap = {"settings": settings_table(own), "examples": examples(own)}
    of_the_target = {
        "actions": actions_table(),
        "target settings": settings_table(others),
        "target examples": examples(others),
        "codes": codes_table(),
    }
    return {
        SETTINGS: written(SETTINGS.read_text(), of_the_tap),
        TARGET: written(TARGET.read_text(), of_the_target),
        CATALOGUE: catalogue(),
        **products,
    }


def main() -> int:
    """Write, or check.

    Returns:
        Exit code.
    """
    texts = pages()
    stale = [path for path, text in texts.items() if not path.exists() or path.read_text() != text]
    gone = sorted(set(ENTRIES.glob("*.md")) - texts.keys())
    if "--check" not in sys.argv:
        ENTRIES.mkdir(exist_ok=True)
        for path in stale:
            path.write_text(texts[path])
        for path in gone:
            path.unlink()
        return 0
    for path in (*stale, *gone):
        sys.stderr.write(f"{path.name} is out of date: run python dev/scripts/update_readme.py\n")
    return 1 if stale or gone else 0


if __name__ == "__main__":
    sys.exit(main())
