"""The ways in which Twilio pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

Payload = dict[str, Any]


class ShapeError(ValueError):
    """A body that isn't of the endpoint's documented shape."""


@dataclass(frozen=True, slots=True)
class Listing:
    """What one response holds.

    Attributes:
        records: The rows, as Twilio sent them.
        link: The link to the next page, exactly as Twilio gave it; none on the last.
    """

    records: list[dict[str, Any]]
    link: str | None


def read_uri(payload: Payload, data_key: str | None) -> Listing:
    """Read a page of the 2010 API: ``next_page_uri`` beside the one array."""
    key = data_key if data_key in payload else _only_list(payload)
    return Listing(_rows(payload, key), _link(payload.get("next_page_uri")))


def read_meta(payload: Payload, data_key: str | None) -> Listing:
    """Read a page of a product API: ``meta`` names the array and gives ``next_page_url``."""
    meta = payload.get("meta")
    if not isinstance(meta, dict):
        msg = "it has no 'meta' object"
        raise ShapeError(msg)
    key = meta.get("key", data_key)
    return Listing(_rows(payload, key), _link(meta.get("next_page_url")))


def read_array(payload: Payload, data_key: str | None) -> Listing:
    """Read a list that comes whole, or a single object where there is no list."""
    if data_key is None:
        return Listing([payload], None)
    return Listing(_rows(payload, data_key), None)


FORMS: dict[str, Callable[[Payload, str | None], Listing]] = {
    "uri": read_uri,
    "meta": read_meta,
    "none": read_array,
}
"""Readers by the name of the paging form, as schema files have it."""


def _only_list(payload: Payload) -> str:
    lists = [key for key, value in payload.items() if isinstance(value, list)]
    if len(lists) != 1:
        msg = f"it has {len(lists)} arrays instead of one"
        raise ShapeError(msg)
    return lists[0]


def _rows(payload: Payload, key: Any) -> list[dict[str, Any]]:  # noqa: ANN401
    rows = payload.get(key)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        msg = f"{key!r} is not an array of objects"
        raise ShapeError(msg)
    return rows


def _link(value: Any) -> str | None:  # noqa: ANN401
    if value is not None and not isinstance(value, str):
        msg = "its link to the next page is not a string"
        raise ShapeError(msg)
    return value or None
