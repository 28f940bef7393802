"""One stream's schema, made of an operation and the corrections."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from twilio_schemas.openapi import ANYTHING, Document, Node, Operation, Place, Trail

if TYPE_CHECKING:
    from collections.abc import Iterable

    from twilio_schemas.corrections import Corrections

_SID = re.compile(r"\^?\(?([A-Z]{2}(?:\|[A-Z]{2})*)\)?\[0-9a-f(?:A-F)?\]\{32\}\$?")
_KEPT_FORMATS = frozenset(("date-time", "date"))
_RFC_2822 = "date-time-rfc-2822"
_PII = ("handling", "deleteSla")


@dataclass(frozen=True)
class Stream:
    """What the tool needs to know of a stream.

    Attributes:
        name: Names the schema file.
        product: The host's label; names the file's folder.
        path: The endpoint, whatever its placeholders are called.
        primary_keys: Fields that can't be null.
        parents: Fields that the tap adds to records that lack them: SIDs of their parents.
        counted_by: Field that the tap adds to each record: its position.
        promoted: Fields that the tap adds to each record: moments that stand in nested objects.
    """

    name: str
    product: str
    path: str
    primary_keys: tuple[str, ...] = ()
    parents: tuple[str, ...] = ()
    counted_by: str | None = None
    promoted: tuple[str, ...] = ()

    @property
    def place(self) -> Place:
        """Where the endpoint is."""
        return Place.of(self.product, self.path)

    @property
    def file(self) -> str:
        """The schema file's path below the folder of schemas."""
        return f"{self.product}/{self.name}.json"


def sid_prefixes(pattern: str) -> str | list[str] | None:
    """Find what SIDs a pattern allows.

    Args:
        pattern: A regular expression.

    Returns:
        The prefix, or a list of several; none if the pattern isn't one of SIDs with a known one.
    """
    match = _SID.fullmatch(pattern)
    if match is None:
        return None
    prefixes = match[1].split("|")
    return prefixes if len(prefixes) > 1 else prefixes[0]


class Normaliser:
    """Rewrites the schemas of a document in the plain form that the schema files have."""

    def __init__(self, document: Document, secrets: Iterable[str] = ()) -> None:
        """Prepare for one document.

        Args:
            document: Resolves references.
            secrets: Names of properties to leave out, at whatever depth.
        """
        self._document = document
        self._secrets = frozenset(secrets)

    def properties(self, node: Node) -> dict[str, Node]:
        """Rewrite a record.

        Args:
            node: The record's schema; allOf, oneOf and anyOf are merged into one.

        Returns:
            Its properties in the document's order, all nullable.
        """
        return self._properties(node, ())

    def schema(self, node: Node) -> Node:
        """Rewrite any schema.

        Args:
            node: As the document has it.

        Returns:
            Its plain form: nullable, without references, prose and constraints.
        """
        return self._schema(node, ())

    def _properties(self, node: Node, trail: Trail) -> dict[str, Node]:
        merged: dict[str, Node] = {}
        for part, below in self._document.parts(node, trail):
            for name, child in part.get("properties", {}).items():
                if name not in self._secrets:
                    schema = self._schema(child, below)
                    merged[name] = _union(merged[name], schema) if name in merged else schema
        return merged

    def _schema(self, node: Node, trail: Trail) -> Node:
        parts = list(self._document.parts(node, trail))
        kinds = list(dict.fromkeys(kind for part, _ in parts for kind in _kinds(part)))
        # What the parts agree on or add; the outermost wins, as it is the most particular.
        flat: Node = {}
        for part, _ in reversed(parts):
            flat.update(part)
        if not parts:  # recursion was cut off
            kinds = ["object"]
        schema: Node = {"type": [*kinds, "null"] if kinds else list(ANYTHING)}
        below = tuple(dict.fromkeys(pointer for _, passed in parts for pointer in passed))
        if "array" in kinds:
            schema["items"] = self._schema(flat.get("items", {}), below)
        if "object" in kinds:
            if properties := self._properties(node, trail):
                schema["properties"] = properties
            # Open even where a document forbids more: nothing that Twilio adds may fail a run.
            schema["additionalProperties"] = True
            values = flat.get("additionalProperties")
            if isinstance(values, dict) and values and not properties:
                schema["additionalProperties"] = self._schema(values, below)
        schema |= _scalar_marks(flat)
        if pii := (flat.get("x-twilio") or {}).get("pii"):
            schema["x-twilio-pii"] = {mark: pii[mark] for mark in _PII if mark in pii}
        return schema


def _kinds(node: Node) -> list[str]:
    kinds = node.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if not kinds and ("properties" in node or "additionalProperties" in node):
        kinds = ["object"]
    return [kind for kind in kinds if kind != "null"]


def _scalar_marks(node: Node) -> Node:
    marks: Node = {}
    if node.get("format") == _RFC_2822:
        marks |= {"format": "date-time", "x-twilio-wire": "rfc-2822"}
    elif node.get("format") in _KEPT_FORMATS:
        marks["format"] = node["format"]
    if values := [value for value in node.get("enum", ()) if value is not None]:
        marks["x-twilio-enum"] = values
    if prefixes := sid_prefixes(node.get("pattern", "")):
        marks["x-twilio-sid"] = prefixes
    return marks


def _union(one: Node, other: Node) -> Node:
    """Merge two rewritten schemas of one property, as alternatives may have them."""
    types = [kind for kind in one["type"] if kind != "null"]
    types += [kind for kind in other["type"] if kind not in types and kind != "null"]
    return {**other, **one, "type": [*types, "null"]}


def build(
    stream: Stream,
    operation: Operation,
    record: Operation,
    corrections: Corrections,
    secrets: Iterable[str] = (),
) -> Node:
    """Make a stream's schema.

    Args:
        stream: Gives the key, whose fields can't be null.
        operation: The endpoint's description.
        record: The description of what it lists, as a rule the same.
        corrections: What the documents don't say or say wrongly.
        secrets: Names of properties to leave out.

    Returns:
        The content of the stream's schema file.

    Raises:
        ValueError: A field of the key is in neither the document nor the corrections.
    """
    normaliser = Normaliser(record.document, secrets)
    properties = normaliser.properties(record.record)
    corrections.apply(operation.place, properties)
    for name in stream.parents:
        properties.setdefault(name, {"type": "string", "x-twilio-parent": True})
    if stream.counted_by:
        properties[stream.counted_by] = {"type": "integer", "x-twilio-added": True}
    for name in stream.promoted:
        moment = {"type": ["string", "null"], "format": "date-time"}
        properties[name] = {**moment, "x-twilio-added": True}
    for name in stream.primary_keys:
        if name not in properties:
            message = f"{stream.name}: {name} is part of the key, but isn't in the records"
            raise ValueError(message)
        properties[name]["type"] = _not_null(properties[name]["type"])
    filters, normaliser = operation.filters, Normaliser(operation.document)
    return {
        "type": "object",
        "properties": properties,
        "additionalProperties": True,
        "x-twilio": {
            "host": operation.host,
            "path": operation.path,
            "data_key": operation.data_key,
            "paging": operation.paging,
            "page_size": operation.page_size,
            "parameters": {name: _parameter(normaliser, filters[name]) for name in sorted(filters)},
        },
    }


def _not_null(kinds: str | list[str]) -> str | list[str]:
    kept = [kind for kind in kinds if kind != "null"] if isinstance(kinds, list) else [kinds]
    return kept[0] if len(kept) == 1 else kept


def _parameter(normaliser: Normaliser, parameter: Node) -> Node:
    found = _query_type(normaliser.schema(parameter.get("schema", {})))
    if parameter.get("required"):
        found["required"] = True
    return found


def _query_type(schema: Node) -> Node:
    found: Node = {"type": _not_null(schema["type"])}
    for mark, name in (("format", "format"), ("x-twilio-enum", "enum")):
        if mark in schema:
            found[name] = schema[mark]
    if "items" in schema:
        found["items"] = _query_type(schema["items"])
    return found
