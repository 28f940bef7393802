"""The streams that ``custom_streams`` declares, checked as far as the setting speaks for itself."""

from __future__ import annotations

import re
import string
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from jsonschema import Draft202012Validator, SchemaError
from singer_sdk import typing as th

from tap_twilio.config.credentials import ROOT_PRODUCT
from tap_twilio.resource.schemas import snake
from tap_twilio.resource.windows import DateFilter, Unit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tap_twilio.config.hosts import Hosts

SETTING = "custom_streams"

PRECISIONS = {"date": Unit.DAY, "date-time": Unit.SECOND}

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_PRODUCT = re.compile(r"[a-z][a-z0-9-]*")
_PATH = re.compile(r"(/[^/?#\s\\\x00-\x1f\x7f]+)+")
_ACCOUNT = re.compile(r"/Accounts/(AC[0-9a-fA-F]{32})(?=[/.])")

_VALUE = {"type": ["string", "number", "boolean"]}

VALUES = {"type": [*_VALUE["type"], "array"], "items": _VALUE, "minItems": 1}
"""JSON schema of a query parameter's value, or of several."""

TYPE = th.ObjectType(
    th.Property("name", th.StringType(nullable=False), required=True),
    th.Property("url", th.StringType),
    th.Property("product", th.StringType),
    th.Property("path", th.StringType),
    th.Property(
        "params",
        th.ObjectType(additional_properties=th.CustomType(VALUES)),
    ),
    th.Property("page_size", th.IntegerType(minimum=1, maximum=5000)),
    th.Property("data_key", th.StringType),
    th.Property("key", th.ArrayType(th.StringType(nullable=False))),
    th.Property("parent", th.StringType),
    th.Property("parent_field", th.StringType),
    th.Property("replication_key", th.StringType),
    th.Property(
        "date_parameters",
        th.ObjectType(
            th.Property("after", th.StringType(nullable=False), required=True),
            th.Property("before", th.StringType(nullable=False), required=True),
            th.Property("format", th.StringType(allowed_values=list(PRECISIONS))),
            th.Property("undated", th.BooleanType),
            additional_properties=False,
        ),
    ),
    th.Property("lookback_days", th.NumberType(minimum=0, maximum=36500)),
    th.Property("schema", th.ObjectType(additional_properties=True)),
    additional_properties=False,
)

NO_PRODUCT = "is not the first part of a host's name, such as api or studio"

EXAMPLE = [{"name": "studio_flow_list", "url": "https://studio.twilio.com/v2/Flows"}]


@dataclass(frozen=True)
class Declaration:
    """A stream that the settings declare.

    Attributes:
        place: Where it stands: ``custom_streams.0``.
        address: Where its path stands: ``custom_streams.0.url``.
        product: First label of the host.
        path: Path on that host, with the SIDs of parents as placeholders.
        account: The one account that the path names, if it does so without a placeholder.
        params: Query parameters with their values; several mean one request chain for each.
        page_size: Rows to ask for at once, if the endpoint lets one choose.
        data_key: Name of the array in its pages; none to find it.
        key: Fields that identify a record; none for ``sid``, where there is one.
        parent: Name of the stream whose records give the path's last placeholder.
        parent_field: Field of those records that does.
        replication_key: Field that the date filter bounds.
        lookback: How long Twilio still changes a row.
        properties: JSON schemas of the fields; none to find them.
    """

    place: str
    address: str
    name: str
    product: str
    path: str
    account: str | None
    params: Mapping[str, tuple[str, ...]]
    page_size: int | None
    data_key: str | None
    key: tuple[str, ...] | None
    parent: str
    parent_field: str
    replication_key: str | None
    window: DateFilter | None
    lookback: timedelta
    properties: Mapping[str, dict[str, Any]] | None


def read(entries: Sequence[Mapping[str, Any]], hosts: Hosts) -> tuple[list[Declaration], list[str]]:
    """Give the declarations that make sense, and a sentence for each mistake, naming its setting.

    Args:
        entries: The setting, which fits ``TYPE``.
    """
    declarations, mistakes = [], []
    for number, entry in enumerate(entries):
        given = {name: value for name, value in entry.items() if value is not None}
        reader = _Reader(f"{SETTING}.{number}", given, hosts)
        declaration = reader.read()
        mistakes += reader.mistakes
        if not reader.mistakes:
            declarations.append(declaration)
    return declarations, mistakes


class _Reader:
    """Reads one declaration, and notes what is wrong with it."""

    def __init__(self, place: str, given: Mapping[str, Any], hosts: Hosts) -> None:
        self.mistakes: list[str] = []
        self._place = place
        self._given = given
        self._hosts = hosts
        self._source = "url" if "url" in given else "path"

    def read(self) -> Declaration:
        given = self._given
        name = given["name"]
        if not _NAME.fullmatch(name):
            self._mistake("name", f"{name!r} is not made of small letters, digits and underscores")
        if "parent_field" in given and given.get("parent", "accounts") == "accounts":
            self._mistake(
                "parent", "it is required beside parent_field: the stream it is a field of"
            )
        product, path, params = self._address()
        params |= {key: on_wire(value) for key, value in given.get("params", {}).items()}
        for parameter, values in params.items():
            if again := repeated(values):
                self._mistake(f"params.{parameter}", f"{again!r} comes twice")
        account = _ACCOUNT.search(path) if product == ROOT_PRODUCT else None
        return Declaration(
            place=self._place,
            address=f"{self._place}.{self._source}",
            name=name,
            product=product,
            path=self._template(product, path),
            account=account and account[1],
            params=params,
            page_size=given.get("page_size"),
            data_key=given.get("data_key"),
            key=tuple(given["key"]) if "key" in given else None,
            replication_key=given.get("replication_key"),
            window=self._window(),
            properties=self._properties(),
            parent=given.get("parent", "accounts"),
            parent_field=given.get("parent_field", "sid"),
            lookback=timedelta(days=float(given.get("lookback_days", 1))),
        )

    def _mistake(self, name: str, sentence: str) -> None:
        self.mistakes.append(f"{self._place}.{name}: {sentence}")

    def _address(self) -> tuple[str, str, dict[str, tuple[str, ...]]]:
        given = self._given
        if "url" not in given:
            for name, example in (("product", "studio"), ("path", "/v2/Flows")):
                if name not in given:
                    self._mistake(name, f"it is required where there is no url; such as {example}")
            product = given.get("product", ROOT_PRODUCT)
            if not _PRODUCT.fullmatch(product):
                self._mistake("product", f"{product!r} {NO_PRODUCT}")
            return product, given.get("path", "/"), {}
        for name in ("product", "path"):
            if name in given:
                self._mistake(name, "give either url or product and path")
        try:
            product, path, query = self._hosts.locate(given["url"])
        except ValueError as error:
            self._mistake("url", str(error))
            return ROOT_PRODUCT, "/", {}
        if not _PRODUCT.fullmatch(product):
            self._mistake("url", f"{product!r} {NO_PRODUCT}")
        params: dict[str, tuple[str, ...]] = {}
        for name, value in parse_qsl(query, keep_blank_values=True):
            params[name] = (*params.get(name, ()), value)
        return product, path, params

    def _template(self, product: str, path: str) -> str:
        """Check a path, and write its placeholders in snake case."""
        name = self._source
        if self.mistakes:
            return path
        if not _PATH.fullmatch(path):
            self._mistake(
                name, f"{path!r} is not a path such as /v2/Flows (a query goes into params)"
            )
            return path
        if product == ROOT_PRODUCT and not path.endswith(".json"):
            self._mistake(name, f"{path!r} does not end with .json, so Twilio answers with XML")
        try:
            parts = list(string.Formatter().parse(path))
        except ValueError:
            parts = []
        if not parts or any(set(text) & set("{}") for text, *_ in parts):
            self._mistake(name, f"the braces of {path!r} don't match")
            return path
        template = ""
        for text, placeholder, form, conversion in parts:
            template += text
            if placeholder is None:
                continue
            if not _NAME.fullmatch(snake(placeholder)) or form or conversion:
                self._mistake(name, f"{placeholder!r} is not a placeholder such as {{call_sid}}")
            template += f"{{{snake(placeholder)}}}"
        return template

    def _window(self) -> DateFilter | None:
        dates = self._given.get("date_parameters")
        for name, other in (
            ("date_parameters", "replication_key"),
            ("replication_key", "date_parameters"),
        ):
            if name in self._given and other not in self._given:
                self._mistake(other, f"it is required beside {name}")
        if dates is None:
            return None
        return DateFilter(
            after=dates["after"],
            before=dates["before"],
            precision=PRECISIONS[dates.get("format") or "date"],
            undated={} if dates.get("undated") else None,
        )

    def _properties(self) -> Mapping[str, dict[str, Any]] | None:
        schema = self._given.get("schema")
        if schema is None:
            return None
        properties = schema.get("properties")
        if not isinstance(properties, dict) or not all(map(_is_object, properties.values())):
            self._mistake("schema", 'it has no object "properties" with a schema for each field')
            return None
        try:
            Draft202012Validator.check_schema(schema)
        except SchemaError as error:
            where = ".".join(["schema", *map(str, error.absolute_path)])
            self._mistake(where, error.message)
        key = self._given.get("replication_key")
        if key is not None and not is_dated(properties.get(key, {})):
            self._mistake(
                "schema",
                f"its property {key!r}, the replication key, needs the type string and the format "
                "date-time or date",
            )
        return properties


def is_dated(schema: Mapping[str, Any]) -> bool:
    """Tell whether a field holds dates or date-times, whose values compare as moments do."""
    return schema.get("format") in {"date-time", "date"} and "string" in schema.get("type", ())


def _is_object(value: Any) -> bool:  # noqa: ANN401
    return isinstance(value, dict)


def on_wire(value: Any) -> tuple[str, ...]:  # noqa: ANN401
    """Write a query parameter's value, or each of several, as requests have it."""
    values = value if isinstance(value, list) else [value]
    return tuple(str(one).lower() if isinstance(one, bool) else str(one) for one in values)


def repeated(values: Sequence[str]) -> str | None:
    """Find the first value that stands there twice, and so would be asked for twice."""
    return next((one for one, times in Counter(values).items() if times > 1), None)
