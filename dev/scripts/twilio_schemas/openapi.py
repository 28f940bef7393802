"""Twilio's OpenAPI documents: their GET operations, references resolved as they are needed."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Node = dict[str, Any]
Trail = tuple[str, ...]

ANYTHING = ("object", "array", "string", "number", "boolean", "null")
"""The type of a field whose document leaves it open."""

PAGING_PARAMETERS = frozenset(
    ("Page", "PageSize", "PageToken", "Size", "Token", "pageSize", "pageToken", "startIndex"),
)
_SIZE_PARAMETERS = ("PageSize", "Size", "pageSize")
_TOKENS = frozenset(("next_token", "nextToken"))
_ABOUT_PAGES = _TOKENS | {"next_page_url", "key"}
"""What tells the ``meta`` of a page from a record's field of that name."""
_PLACEHOLDER = re.compile(r"\{(\w*)\}")
_ANSWERS = ("200", "302", "307")
_COMBINERS = ("allOf", "oneOf", "anyOf")
_SCALARS = frozenset(("string", "integer", "number", "boolean"))


class Place(NamedTuple):
    """Where an endpoint is: two descriptions of one endpoint have equal places."""

    host: str
    path: str

    @classmethod
    def of(cls, host: str, path: str) -> Place:
        """Make a place of a path, whatever its placeholders are called.

        Args:
            host: The label before ``.twilio.com``.
            path: The path below it.

        Returns:
            The place, its placeholders anonymous.
        """
        return cls(host, _PLACEHOLDER.sub("{}", path))

    def __str__(self) -> str:
        """Write the place the way that the corrections and omissions have it."""
        return f"{self.host} {self.path}"


class Document:
    """One OpenAPI document."""

    def __init__(self, content: Node) -> None:
        """Take a parsed document.

        Args:
            content: All of it; only GET operations and what they refer to are looked at.
        """
        self._content = content

    def resolve(self, node: Node) -> Node:
        """Follow references.

        Args:
            node: A schema, parameter or response.

        Returns:
            What it refers to, itself if to nothing. What stands beside a reference wins.
        """
        seen = set()
        while "$ref" in node:
            pointer = node["$ref"]
            if pointer in seen:
                message = f"{pointer} refers to itself"
                raise ValueError(message)
            seen.add(pointer)
            beside = {key: value for key, value in node.items() if key != "$ref"}
            node = {**self._at(pointer), **beside}
        return node

    def _at(self, pointer: str) -> Node:
        found: Any = self._content
        for part in pointer.removeprefix("#/").split("/"):
            found = found[part.replace("~1", "/").replace("~0", "~")]
        return dict(found)

    def parts(self, node: Node, trail: Trail = ()) -> Iterator[tuple[Node, Trail]]:
        """Flatten allOf, oneOf and anyOf.

        Args:
            node: A schema.
            trail: The references on the way to it: one of them again is recursion, and cut off.

        Yields:
            The schema and all that it is combined of, resolved, each with the way to it.
        """
        if (pointer := node.get("$ref")) is not None:
            if pointer in trail:
                return
            trail = (*trail, pointer)
            beside = {key: value for key, value in node.items() if key != "$ref"}
            if beside:
                yield beside, trail
            yield from self.parts(self._at(pointer), trail)
            return
        yield node, trail
        for combiner in _COMBINERS:
            for option in node.get(combiner, ()):
                yield from self.parts(option, trail)

    def operations(self) -> Iterator[Operation]:
        """List the GET operations that answer with JSON.

        Yields:
            One after another, in the document's order.
        """
        for path, item in self._content.get("paths", {}).items():
            get = item.get("get")
            response = self._response(get) if get else None
            if response is None:
                continue
            servers = item.get("servers") or self._content["servers"]
            parameters = [*item.get("parameters", ()), *get.get("parameters", ())]
            yield Operation(
                document=self,
                host=_label(servers[0]["url"]),
                path=path,
                response=response,
                query=tuple(
                    parameter
                    for parameter in map(self.resolve, parameters)
                    if parameter["in"] == "query"
                ),
            )

    def _response(self, get: Node) -> Node | None:
        for status in _ANSWERS:
            answer = self.resolve(get.get("responses", {}).get(status, {}))
            for kind, content in answer.get("content", {}).items():
                if "json" in kind:
                    schema: Node = content.get("schema", {})
                    return schema
        return None


@dataclass(frozen=True)
class Operation:
    """A GET of one path: a list of records, or one record."""

    document: Document = field(repr=False)
    host: str
    path: str
    response: Node = field(repr=False)
    query: tuple[Node, ...] = field(repr=False)

    @property
    def place(self) -> Place:
        """Where the endpoint is."""
        return Place.of(self.host, self.path)

    @cached_property
    def _answer(self) -> dict[str, Node]:
        return {
            name: self.document.resolve(node)
            for part, _ in self.document.parts(self.response)
            for name, node in part.get("properties", {}).items()
        }

    @cached_property
    def paging(self) -> str:
        """How the list is paged.

        ``uri`` and ``meta`` name the next page by its address, ``token`` by a token in ``meta``,
        ``page_number`` and ``scim`` by counting; ``none`` has one page.
        """
        answer = self._answer
        if "next_page_uri" in answer:
            return "uri"
        meta = set(answer.get("meta", {}).get("properties", {}))
        asked = {parameter["name"] for parameter in self.query}
        if "meta" in answer and (meta & _ABOUT_PAGES or asked & PAGING_PARAMETERS):
            return "token" if meta & _TOKENS or "Token" in asked else "meta"
        if {"has_next", "total_pages"} <= set(answer):
            return "page_number"
        if "totalResults" in answer:
            return "scim"
        return "none"

    @cached_property
    def data_key(self) -> str | None:
        """Where the records are in the answer; none if the answer is the record.

        An unpaged answer is a list if it has nothing but one array of objects (beside its own
        address). One with more to say, or whose array holds mere strings, is a record itself.
        """
        arrays = {n: node for n, node in self._answer.items() if node.get("type") == "array"}
        if self.paging == "scim":
            return "Resources"
        if self.paging == "none":
            arrays = {n: node for n, node in arrays.items() if not self._has_scalars(node)}
            if set(self._answer) - set(arrays) - {"uri", "url"}:
                return None
        return next(iter(arrays)) if len(arrays) == 1 else None

    def _has_scalars(self, array: Node) -> bool:
        items = self.document.resolve(array.get("items", {}))
        return items.get("type") in _SCALARS

    @property
    def is_list(self) -> bool:
        """Whether the endpoint lists records."""
        return self.data_key is not None

    @property
    def record(self) -> Node:
        """The schema of one record, as the document has it."""
        if self.data_key is None:
            return self.response
        items: Node = self._answer[self.data_key].get("items", {})
        return items

    @property
    def page_size(self) -> int | None:
        """The documented maximum of a page, if there is one."""
        for parameter in self.query:
            if parameter["name"] in _SIZE_PARAMETERS:
                schema = self.document.resolve(parameter.get("schema", {}))
                maximum: int | None = schema.get("maximum")
                return maximum
        return None

    @property
    def filters(self) -> dict[str, Node]:
        """Query parameters by name, without those that turn pages."""
        return {
            parameter["name"]: parameter
            for parameter in self.query
            if parameter["name"] not in PAGING_PARAMETERS
        }


def placeholders(path: str) -> list[str]:
    """Find the names in a path.

    Args:
        path: With placeholders in braces.

    Returns:
        The placeholders' names, in order.
    """
    return _PLACEHOLDER.findall(path)


def _label(url: str) -> str:
    host = urlsplit(url).hostname or url
    return host.removesuffix(".twilio.com")


def read_operations(folder: Path) -> dict[Place, Operation]:
    """Read all operations of a folder's documents.

    Args:
        folder: Has ``twilio_*.json``: as Twilio publishes them, or reduced to their GET half.

    Returns:
        The operations by place.

    Raises:
        FileNotFoundError: The folder has no such file.
    """
    files = sorted(folder.glob("twilio_*.json"))
    if not files:
        message = f"no twilio_*.json in {folder}"
        raise FileNotFoundError(message)
    return {
        operation.place: operation
        for file in files
        for operation in Document(json.loads(file.read_text(encoding="utf-8"))).operations()
    }
