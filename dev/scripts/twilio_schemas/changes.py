"""What differs between the schema files and the documents, in lines for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from twilio_schemas.build import Stream
    from twilio_schemas.corrections import Omissions
    from twilio_schemas.openapi import Node, Operation, Place

_BELOW = ("properties", "items", "additionalProperties")


def coverage(
    operations: Mapping[Place, Operation],
    streams: Iterable[Stream],
    omissions: Omissions,
) -> Iterator[str]:
    """Compare the documents' lists with the streams and the omissions.

    Args:
        operations: The documents' endpoints. Those that give one record need no stream.
        streams: All streams.
        omissions: The endpoints that are left out on purpose.

    Yields:
        A line for each endpoint that is new, and for each omission that isn't one.
    """
    read = {stream.place: stream for stream in streams}
    for place, operation in operations.items():
        left_out = omissions.reason(place) is not None
        if operation.is_list and place not in read and not left_out:
            yield f"+ {place}: neither a stream nor an omission"
        if place in read and left_out:
            yield f"~ {place}: an omission, yet the stream {read[place].name} reads it"
    for pattern in omissions.stale(operations):
        yield f"- {pattern}: an omission that matches nothing"


def differences(old: Node, new: Node) -> Iterator[str]:
    """Compare two versions of a schema file.

    Args:
        old: The file.
        new: What would be written now.

    Yields:
        A line for each field, parameter or fact of the endpoint that differs.
    """
    yield from _compare("field", _flatten(old), _flatten(new))
    facts, new_facts = old.get("x-twilio", {}), new["x-twilio"]
    yield from _compare(
        "parameter",
        dict(facts.get("parameters", {})),
        dict(new_facts["parameters"]),
    )
    for name in new_facts:
        if name != "parameters" and facts.get(name) != new_facts[name]:
            yield f"~ {name}: {_short(facts.get(name))} -> {_short(new_facts[name])}"


def left_open(schema: Node) -> Iterator[str]:
    """Find fields that have no type, or several.

    Args:
        schema: What would be written now.

    Yields:
        The path of each.
    """
    for name, field in _flatten(schema).items():
        kinds = field.get("type", [])
        if isinstance(kinds, list) and len([kind for kind in kinds if kind != "null"]) != 1:
            yield name


def _flatten(schema: Node, prefix: str = "") -> dict[str, Node]:
    """List all fields, nested ones as ``a.b``, those in arrays ``a[]``, those in maps ``a{}``."""
    found: dict[str, Node] = {}
    for name, child in schema.get("properties", {}).items():
        found |= _with_below(prefix + name, child)
    return found


def _with_below(name: str, schema: Node) -> dict[str, Node]:
    found = {name: {key: value for key, value in schema.items() if key not in _BELOW}}
    if "items" in schema:
        found |= _with_below(f"{name}[]", schema["items"])
    if isinstance(values := schema.get("additionalProperties"), dict):
        found |= _with_below(name + "{}", values)
    return found | _flatten(schema, f"{name}.")


def _compare(what: str, old: Mapping[str, Node], new: Mapping[str, Node]) -> Iterator[str]:
    for name in [*new, *(name for name in old if name not in new)]:
        if name not in old:
            yield f"+ {what} {name}: {_short(new[name].get('type'))}"
        elif name not in new:
            yield f"- {what} {name}"
        elif old[name] != new[name]:
            yield f"~ {what} {name}: {', '.join(_marks(old[name], new[name]))}"


def _marks(old: Node, new: Node) -> Iterator[str]:
    for mark in [*new, *(mark for mark in old if mark not in new)]:
        before, after = old.get(mark), new.get(mark)
        if before == after:
            continue
        if mark.endswith("enum") and isinstance(before, list) and isinstance(after, list):
            moves = [f"+{value}" for value in after if value not in before]
            moves += [f"-{value}" for value in before if value not in after]
            yield f"{mark} {' '.join(moves) or 'reordered'}"
        else:
            yield f"{mark} {_short(before)} -> {_short(after)}"


def _short(value: Any) -> str:  # noqa: ANN401
    if value is None:
        return "none"
    return "|".join(map(str, value)) if isinstance(value, list) else str(value)
