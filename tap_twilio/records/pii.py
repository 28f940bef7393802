"""Personal data: hashed or dropped before a record leaves the tap.

What is personal is marked in the schemas with ``x-twilio-pii``. A marked value is masked as a
whole, whatever its type: a hashed object is one string, as its members' names may be personal too.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from tap_twilio.resource.schemas import PII_MARK

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from tap_twilio.records.values import Record

_HASHED = {"type": ["string", "null"]}

# Equal values have one text, whatever the order of their members: equal hashes join.
_encoder = msgspec.json.Encoder(order="deterministic", decimal_format="number")


@dataclass(frozen=True)
class Rule:
    """What becomes of personal data.

    Attributes:
        how: ``keep``, ``hash`` or ``drop``.
        key: The secret that hashes depend on.
    """

    how: str = "keep"
    key: str = field(default="", repr=False)

    def hide(self, value: Any) -> str | None:  # noqa: ANN401
        """Hash a value with the key, so that equal values stay equal: HMAC-SHA256 in hexadecimal.

        Null stays null. Of what is no string, its JSON text is hashed.
        """
        if value is None:
            return None
        is_text = isinstance(value, str)
        text = value.encode("utf-8", "surrogatepass") if is_text else _encoder.encode(value)
        return hmac.digest(self.key.encode(), text, "sha256").hex()


def is_sid(name: str) -> bool:
    """Tell whether a field holds SIDs, which name things of Twilio's and nobody's person."""
    return name.lower().endswith("sid")


class Masker:
    """Masks the records of one stream, by column.

    Fields that no schema knows carry no mark, and nobody has said that they are not personal:
    they are masked as if they were marked.
    """

    def __init__(self, schema: Mapping[str, Any], rule: Rule, keys: Collection[str]) -> None:
        """Compile a schema.

        Args:
            keys: Fields that tell rows apart or are bookmarks: never masked, nor are SIDs.
        """
        self._rule = rule
        self._properties: Mapping[str, Mapping[str, Any]] = schema["properties"]
        masked = [name for name in self._properties if name not in keys and not is_sid(name)]
        self._marked = frozenset(name for name in masked if _is_marked(self._properties[name]))
        self._nested = {
            name: mask
            for name in masked
            if name not in self._marked
            and (mask := _nested(self._properties[name], rule)) is not None
        }

    def announce(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        """Make the schema of masked records: hashed fields as nullable strings, no dropped ones.

        Args:
            schema: That of records with personal data, as it is now or as an older catalog has it.
        """
        announced: dict[str, Any] = {}
        for name, field_schema in schema["properties"].items():
            if name in self._nested:
                announced[name] = _announced(self._properties[name], self._rule)
            elif not self._hides(name):
                announced[name] = field_schema
            elif self._rule.how == "hash":
                announced[name] = dict(_HASHED)
        return {**schema, "properties": announced}

    def _hides(self, name: str) -> bool:
        return name in self._marked or (name not in self._properties and not is_sid(name))

    def mask(self, records: list[Record]) -> list[Record]:
        """Copy typed records without personal data; children are still read by the originals."""
        records = [record.copy() for record in records]
        names: set[str] = set().union(*records)
        for name in filter(self._hides, names):
            if self._rule.how == "drop":
                for record in records:
                    record.pop(name, None)
            else:
                for record in records:
                    if record.get(name) is not None:
                        record[name] = self._rule.hide(record[name])
        for name in names & self._nested.keys():
            mask = self._nested[name]
            for record in records:
                if record.get(name) is not None:
                    record[name] = mask(record[name])
        return records


def _is_marked(schema: Mapping[str, Any]) -> bool:
    """Tell whether a field is masked as a whole: itself, or all its items or members, marked."""
    return PII_MARK in schema or any(
        _is_marked(schema[part])
        for part in ("items", "additionalProperties")
        if isinstance(schema.get(part), dict)
    )


def _announced(schema: Any, rule: Rule) -> Any:  # noqa: ANN401
    """Make the schema of what :func:`_nested` masks."""
    if not isinstance(schema, dict):
        return schema
    announced = dict(schema)
    if "properties" in schema:
        announced["properties"] = {
            name: dict(_HASHED) if _is_marked(one) else _announced(one, rule)
            for name, one in schema["properties"].items()
            if rule.how == "hash" or not _is_marked(one)
        }
    for part in ("items", "additionalProperties"):
        if part in schema:
            announced[part] = _announced(schema[part], rule)
    return announced


def _nested(schema: Mapping[str, Any], rule: Rule) -> Callable[[Any], Any] | None:
    """Compile what masks the inside of a field; none where nothing inside is marked."""
    properties = schema.get("properties", {})
    marked = [name for name, one in properties.items() if _is_marked(one)]
    inner = {
        name: within
        for name, one in properties.items()
        if name not in marked and (within := _nested(one, rule)) is not None
    }
    item, member = (
        _nested(part, rule) if isinstance(part := schema.get(name), dict) else None
        for name in ("items", "additionalProperties")
    )
    if not marked and not inner and item is None and member is None:
        return None

    def mask(value: Any) -> Any:  # noqa: ANN401
        if item is not None and isinstance(value, list):
            return [item(one) for one in value]
        if not isinstance(value, dict) or not (marked or inner or member):
            # Not of the form that the marks are for: nobody knows what it holds.
            return None
        masked = {}
        for name, one in value.items():
            if name in marked:
                if rule.how == "hash":
                    masked[name] = rule.hide(one)
            else:
                within = inner.get(name, member if name not in properties else None)
                masked[name] = within(one) if within and one is not None else one
        return masked

    return mask
