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
        more: Where Twilio gives no link: the query parameters that the next page needs besides.
    """

    records: list[dict[str, Any]]
    link: str | None = None
    more: dict[str, str] | None = None


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
        return Listing([payload])
    return Listing(_rows(payload, data_key))


def read_token(payload: Payload, data_key: str | None) -> Listing:
    """Read a page whose ``meta`` gives a token for the next one instead of a link."""
    meta = payload.get("meta")
    if not isinstance(meta, dict):
        msg = "it has no 'meta' object"
        raise ShapeError(msg)
    rows = _rows(payload, meta.get("key", data_key))
    for name, parameter in (("next_token", "Token"), ("nextToken", "pageToken")):
        if token := meta.get(name):
            return Listing(rows, more={parameter: str(token)})
    return Listing(rows)


def read_page_number(payload: Payload, data_key: str | None) -> Listing:
    """Read a page that has a number, and says whether another follows."""
    rows = _rows(payload, data_key)
    if not payload.get("has_next"):
        return Listing(rows)
    current = payload.get("current_page")
    if not isinstance(current, int):
        msg = "its 'current_page' is not a number"
        raise ShapeError(msg)
    return Listing(rows, more={"Page": str(current + 1)})


FORMS: dict[str, Callable[[Payload, str | None], Listing]] = {
    "uri": read_uri,
    "meta": read_meta,
    "none": read_array,
    "token": read_token,
    "page_number": read_page_number,
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
