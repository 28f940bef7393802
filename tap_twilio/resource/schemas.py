"""The schema files: what a record looks like, and the facts of its endpoint."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from singer_sdk.schema.source import SchemaDirectory

if TYPE_CHECKING:
    from collections.abc import Mapping

PACKAGE = Path(__file__).parent.parent
DIRECTORY = SchemaDirectory(
    # In a wheel the schemas lie inside the package, in a checkout beside it.
    next(folder for folder in (PACKAGE / "schemas", PACKAGE.parent / "schemas") if folder.is_dir())
)
OWN_MARKS = frozenset(
    {
        "x-twilio-wire",
        "x-twilio-enum",
        "x-twilio-sid",
        "x-twilio-parent",
        "x-twilio-added",
    }
)
"""Marks that serve the project alone."""

PII_MARK = "x-twilio-pii"
"""Marks fields that are personal data."""

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@dataclass(frozen=True)
class Endpoint:
    """Facts of a list endpoint, from Twilio's OpenAPI documents.

    Attributes:
        paging: Name of its paging form.
        data_key: Name of the array in its pages; none for a single object.
        page_size: Most rows on a page; none where the size can't be chosen.
        parameters: Its query parameters, paging aside, by their name in snake case.
    """

    paging: str
    data_key: str | None
    page_size: int | None
    parameters: Mapping[str, str]


def load(product: str, stream: str) -> tuple[dict[str, Any], Endpoint]:
    """Give the record schema and the endpoint's facts in ``schemas/<product>/<stream>.json``."""
    raw = dict(DIRECTORY.fetch_schema(f"{product}/{stream}"))
    facts = raw.pop("x-twilio")
    endpoint = Endpoint(
        paging=facts["paging"],
        data_key=facts["data_key"],
        page_size=facts["page_size"],
        parameters={snake(name): name for name in facts["parameters"]},
    )
    return _without_marks(raw), endpoint


def types(schema: Mapping[str, Any]) -> list[str]:
    """Give the JSON types that a field's value may have besides null."""
    kinds = schema.get("type", [])
    return [kind for kind in ([kinds] if isinstance(kinds, str) else kinds) if kind != "null"]


def snake(name: str) -> str:
    """Write a query parameter as settings do: ``ParentCallSid`` as ``parent_call_sid``."""
    return _CAMEL.sub("_", name).lower()


def _without_marks(schema: Any) -> Any:  # noqa: ANN401
    if isinstance(schema, dict):
        return {key: _without_marks(value) for key, value in schema.items() if key not in OWN_MARKS}
    return schema
