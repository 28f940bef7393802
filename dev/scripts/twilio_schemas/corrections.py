"""Hand-written knowledge: what Twilio's documents don't say, and what they say wrongly."""

from __future__ import annotations

from copy import deepcopy
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import yaml

from twilio_schemas.openapi import ANYTHING, Node, Place

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path


_OPEN_OBJECT: Node = {"type": ["object", "null"], "additionalProperties": True}
_KINDS: Mapping[str, Node] = {
    "object": _OPEN_OBJECT,
    "objects": {"type": ["array", "null"], "items": _OPEN_OBJECT},
    "string": {"type": ["string", "null"]},
}
"""Types by the names that the file has for them."""

_NOWHERE = "marked as personal, but in no schema"
_NOT_NEW = "added, but documented or in no schema"
_NOT_OPEN = "given a type, but left open in no schema"


def _read(file: Path) -> dict[str, Any]:
    content = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
    return dict(content)


class Corrections:
    """The file of corrections; see there what each part of it is for."""

    def __init__(self, content: Mapping[str, Any]) -> None:
        """Take the parsed file.

        Args:
            content: Its parts by name; any may be missing.
        """
        self.hand_written: frozenset[str] = frozenset(content.get("hand_written", ()))
        self.described: Mapping[str, str] = content.get("described", {})
        self._numeric_strings: Mapping[str, Any] = content.get("numeric_strings", {})
        self._timestamps: Mapping[str, Any] = content.get("timestamps", {})
        self._types: Mapping[str, Mapping[str, Iterable[str]]] = content.get("types", {})
        self._added: Mapping[str, dict[str, Node]] = content.get("added", {})
        self._personal: Mapping[str, Iterable[str]] = content.get("personal", {})
        typed = {
            f"{kind} {host}": paths
            for kind, hosts in self._types.items()
            for host, paths in hosts.items()
        }
        parts = ((typed, _NOT_OPEN), (self._added, _NOT_NEW), (self._personal, _NOWHERE))
        self._unused = {
            (place, path, fate)
            for part, fate in parts
            for place, paths in part.items()
            for path in paths
        }

    @classmethod
    def read(cls, file: Path) -> Corrections:
        """Read the file.

        Args:
            file: A YAML file.

        Returns:
            The corrections.
        """
        return cls(_read(file))

    def apply(self, place: Place, properties: dict[str, Node]) -> None:
        """Correct the fields of one endpoint's records, in place.

        Args:
            place: The endpoint.
            properties: Its fields, rewritten from the document.
        """
        for kind, names in self._numeric_strings.get(place.host, {}).items():
            for name in names:
                if name in properties and "integer" not in properties[name]["type"]:
                    properties[name] |= {"type": [kind, "null"], "x-twilio-wire": "string"}
        self._date(place, properties)
        self._close(place, properties)
        self._add(place, properties)
        self._mark_personal(place, properties)

    def _date(self, place: Place, properties: dict[str, Node]) -> None:
        for pattern, forms in self._timestamps.items():
            if fnmatchcase(str(place), pattern):
                for name, form in forms.items():
                    if name in properties:
                        properties[name] |= {"type": ["string", "null"], "format": form}

    def _close(self, place: Place, properties: dict[str, Node]) -> None:
        """Give a type to what the document leaves open."""
        for kind, hosts in self._types.items():
            for path in hosts.get(place.host, ()):
                field = _find(properties, path)
                if field is not None and field["type"] == list(ANYTHING):
                    self._unused.discard((f"{kind} {place.host}", path, _NOT_OPEN))
                    field |= deepcopy(_KINDS[kind])

    def _add(self, place: Place, properties: dict[str, Node]) -> None:
        for pattern, fields in self._added.items():
            if fnmatchcase(str(place), pattern):
                for path, schema in fields.items():
                    outer, _, name = path.rpartition(".")
                    field = _find(properties, outer) if outer else {"properties": properties}
                    if field is not None and name not in field.get("properties", {}):
                        self._unused.discard((pattern, path, _NOT_NEW))
                        # Copied, since what comes of it is changed further.
                        field.setdefault("properties", {})[name] = deepcopy(schema)

    def _mark_personal(self, place: Place, properties: dict[str, Node]) -> None:
        for pattern, paths in self._personal.items():
            if fnmatchcase(str(place), pattern):
                for path in paths:
                    field = _find(properties, path)
                    if field is not None:
                        self._unused.discard((pattern, path, _NOWHERE))
                        field.setdefault("x-twilio-pii", {"source": "tap-twilio"})

    def stale(self, places: Iterable[Place]) -> list[str]:
        """Find corrections of endpoints that are no longer there.

        Args:
            places: All endpoints of the documents.

        Returns:
            The endpoints, as the file has them.
        """
        known = set(map(str, places))
        return sorted({*self.described, *self.described.values()} - known)

    def idle(self) -> list[str]:
        """Find what corrected nothing, once all endpoints are corrected.

        Returns:
            A line for each, with the place and the field as the file has them.
        """
        return sorted(f"{place}: {path}: {fate}" for place, path, fate in self._unused)


def _find(properties: dict[str, Node], path: str) -> Node | None:
    """Find a field by its path: ``profile.emails.[].email``."""
    field: Node = {"properties": properties}
    for name in path.split("."):
        below = field.get("items") if name == "[]" else field.get("properties", {}).get(name)
        if below is None:
            return None
        field = below
    return field


class Omissions:
    """The endpoints that are left out on purpose."""

    def __init__(self, reasons: Mapping[str, str]) -> None:
        """Take the parsed file.

        Args:
            reasons: Why, by pattern of host and path.
        """
        self._reasons = reasons

    @classmethod
    def read(cls, file: Path) -> Omissions:
        """Read the file.

        Args:
            file: A YAML file.

        Returns:
            The omissions.
        """
        return cls(_read(file))

    def reason(self, place: Place) -> str | None:
        """Tell why an endpoint is left out.

        Args:
            place: The endpoint.

        Returns:
            The reason; none if it isn't left out.
        """
        for pattern, reason in self._reasons.items():
            if fnmatchcase(str(place), pattern):
                return reason
        return None

    def stale(self, places: Iterable[Place]) -> list[str]:
        """Find patterns that no endpoint matches any more.

        Args:
            places: All endpoints of the documents.

        Returns:
            The patterns.
        """
        names = [str(place) for place in places]
        return [
            pattern
            for pattern in self._reasons
            if not any(fnmatchcase(name, pattern) for name in names)
        ]
