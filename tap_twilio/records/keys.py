"""Primary keys of records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_encoder = msgspec.json.Encoder()


def lacking(records: Sequence[Mapping[str, Any]], names: Iterable[str]) -> list[int]:
    """Give the indexes, in order, of records in which one of some fields is null or absent."""
    found: set[int] = set()
    for name in names:
        found.update(index for index, record in enumerate(records) if record.get(name) is None)
    return sorted(found)


def identity(record: Mapping[str, Any], keys: Sequence[str]) -> tuple[Any, ...]:
    """Give a record's primary key; if that lacks a value, with all else that the record holds."""
    key = tuple(record.get(name) for name in keys)
    return key if None not in key else (*key, _encoder.encode(record))
