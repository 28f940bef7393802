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
        self.secrets: frozenset[str] = frozenset(content.get("secrets", ()))
        self.hand_written: frozenset[str] = frozenset(content.get("hand_written", ()))
        self._numeric_strings: Mapping[str, Any] = content.get("numeric_strings", {})
        self._timestamps: Mapping[str, Any] = content.get("timestamps", {})
        self._objects: Mapping[str, Iterable[str]] = content.get("objects", {})
        self._added: Mapping[str, dict[str, Node]] = content.get("added", {})
        self._personal: Mapping[str, Iterable[str]] = content.get("personal", {})
        self._unmatched = {
            (pattern, path) for pattern, paths in self._personal.items() for path in paths
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
        for name, form in self._timestamps.get(place.host, {}).items():
            if name in properties:
                properties[name] |= {"type": ["string", "null"], "format": form}
        for name in self._objects.get(place.host, ()):
            if name in properties and properties[name]["type"] == list(ANYTHING):
                properties[name] |= {"type": ["object", "null"], "additionalProperties": True}
        # Copied, since what comes of it is changed further.
        properties |= deepcopy(self._added.get(str(place), {}))
        self._mark_personal(place, properties)

    def _mark_personal(self, place: Place, properties: dict[str, Node]) -> None:
        for pattern, paths in self._personal.items():
            if fnmatchcase(str(place), pattern):
                for path in paths:
                    field = _find(properties, path)
                    if field is not None:
                        self._unmatched.discard((pattern, path))
                        field.setdefault("x-twilio-pii", {"source": "tap-twilio"})

    def stale(self, places: Iterable[Place]) -> list[str]:
        """Find corrections of endpoints that are no longer there.

        Args:
            places: All endpoints of the documents.

        Returns:
            The endpoints, as the file has them.
        """
        return sorted(set(self._added) - set(map(str, places)))

    def idle(self) -> list[str]:
        """Find marks of personal data that no field has got, once all endpoints are corrected.

        Returns:
            Pattern and field of each, as the file has them.
        """
        return sorted(f"{pattern}: {path}" for pattern, path in self._unmatched)


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
