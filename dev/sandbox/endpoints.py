"""The list endpoints, as the schema files describe them."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

Paging = Literal["uri", "meta", "none", "token", "cursor", "page_number", "scim"]

SCHEMAS: Final = Path(__file__).resolve().parents[2] / "schemas"
_PLACEHOLDER: Final = re.compile(r"\{(\w+)\}")
_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def snake(name: str) -> str:
    """Turn Twilio's name of a parameter into its name of the field (`LogLevel`, `log_level`)."""
    return _CAMEL.sub("_", name).replace(".", "_").lower()


@dataclass(frozen=True)
class Property:
    """One field of a row."""

    name: str
    type: str
    format: str | None
    wire: str | None
    sid: str | None
    enum: tuple[Any, ...]
    nullable: bool = True


@dataclass(frozen=True)
class Endpoint:
    """One list endpoint of Twilio.

    Attributes:
        stream: The schema file's name, by which volumes are given.
        host: The host label of the product.
        path: The path with `{Placeholders}`.
        data_key: Where the rows stand in a page; None if the answer is the row itself.
        paging: How the list is paged.
        page_size: The most rows a page may have.
        parameters: What the list can be asked by.
        properties: The fields of a row.
    """

    stream: str
    host: str
    path: str
    data_key: str | None
    paging: Paging
    page_size: int
    parameters: dict[str, dict[str, Any]] = field(hash=False)
    properties: dict[str, Property] = field(hash=False)

    @cached_property
    def placeholders(self) -> tuple[str, ...]:
        """The names in the path, without the account's."""
        return tuple(n for n in _PLACEHOLDER.findall(self.path) if n != "AccountSid")

    @cached_property
    def stem(self) -> str:
        """The path without the 2010 API's extension."""
        return self.path.removesuffix(".json")

    @cached_property
    def extension(self) -> str:
        """The 2010 API's extension, or nothing."""
        return ".json" if self.path.endswith(".json") else ""

    def locate(self, values: dict[str, str]) -> str:
        """Fill in the path's placeholders."""
        return _PLACEHOLDER.sub(lambda match: values[match[1]], self.path)


class Route(NamedTuple):
    """What a path leads to: a list, or one row of it."""

    endpoint: Endpoint
    values: dict[str, str]
    instance: str | None


class Catalogue:
    """All endpoints, found by path.

    Args:
        folder: Where the schema files are, one folder a product.
    """

    def __init__(self, folder: Path = SCHEMAS) -> None:
        """Read the files."""
        self.endpoints = [_read(file) for file in sorted(folder.glob("*/*.json"))]
        self._by_place = {(one.host, one.path): one for one in self.endpoints}
        self._patterns: dict[tuple[str, int], list[tuple[re.Pattern[str], Endpoint]]] = defaultdict(
            list
        )
        for endpoint in sorted(self.endpoints, key=lambda one: len(one.placeholders)):
            pattern = _PLACEHOLDER.sub(
                r"(?P<\1>[^/]+)", re.escape(endpoint.path).replace("\\{", "{").replace("\\}", "}")
            )
            self._patterns[endpoint.host, endpoint.path.count("/")].append(
                (re.compile(pattern), endpoint)
            )

    def get(self, host: str, path: str) -> Endpoint | None:
        """Find an endpoint by its path with placeholders."""
        return self._by_place.get((host, path))

    def route(self, host: str, path: str) -> Route | None:
        """Find what a real path leads to."""
        found = self._match(host, path)
        if found is not None:
            return Route(*found, None)
        parent, _, last = path.rpartition("/")
        extension = ".json" if last.endswith(".json") else ""
        found = self._match(host, parent + extension)
        if found is None or found[0].data_key is None:
            return None
        return Route(*found, last.removesuffix(extension))

    def parent(self, endpoint: Endpoint, placeholder: str) -> Endpoint | None:
        """Find the list that gives the values of a placeholder.

        It is the list in whose path the placeholder would be the next segment, or, where a product
        leaves that list to another (`/v1/Voice/{CallSid}/Events`), the list of that name.
        """
        stem = endpoint.path.partition(f"/{{{placeholder}}}")[0]
        found = self.get(endpoint.host, stem + endpoint.extension)
        if found is None and placeholder == "CallSid":
            found = self.get("api", "/2010-04-01/Accounts/{AccountSid}/Calls.json")
        return found

    def children(self, endpoint: Endpoint) -> list[Endpoint]:
        """List the endpoints directly below the rows of one."""
        start = re.compile(re.escape(endpoint.stem) + r"/\{(\w+)\}/[^{}]+")
        return [
            one for one in self.endpoints if one.host == endpoint.host and start.fullmatch(one.stem)
        ]

    def _match(self, host: str, path: str) -> tuple[Endpoint, dict[str, str]] | None:
        for pattern, endpoint in self._patterns.get((host, path.count("/")), ()):
            if match := pattern.fullmatch(path):
                return endpoint, match.groupdict()
        return None


@cache
def read_catalogue(folder: Path) -> Catalogue:
    """Give the catalogue of a folder, which is read once."""
    return Catalogue(folder)


def identifying_field(parent: Endpoint, placeholder: str) -> str:
    """Name the field of a parent's rows that fills a placeholder of its children's paths."""
    own = snake(placeholder)
    if "sid" in parent.properties and own.endswith("sid"):
        return "sid"
    return own if own in parent.properties else "sid" if "sid" in parent.properties else "id"


def _read(file: Path) -> Endpoint:
    schema = json.loads(file.read_text(encoding="utf-8"))
    twilio = schema["x-twilio"]
    properties = {
        name: _property(name, one)
        for name, one in schema["properties"].items()
        # What the tap adds isn't Twilio's to send.
        if not (one.get("x-twilio-parent") or one.get("x-twilio-added"))
    }
    return Endpoint(
        stream=file.stem,
        host=twilio["host"],
        path=twilio["path"],
        data_key=twilio["data_key"],
        paging=twilio["paging"],
        page_size=twilio["page_size"] or 1000,
        parameters=twilio["parameters"],
        properties=properties,
    )


def _property(name: str, schema: dict[str, Any]) -> Property:
    types = schema.get("type", "string")
    nullable = "null" in types
    if isinstance(types, list):
        types = next((one for one in types if one != "null"), "string")
    sid = schema.get("x-twilio-sid")
    return Property(
        name=name,
        type=types,
        format=schema.get("format"),
        wire=schema.get("x-twilio-wire"),
        sid=sid[0] if isinstance(sid, list) else sid,
        enum=tuple(schema.get("x-twilio-enum", ())),
        nullable=nullable,
    )
