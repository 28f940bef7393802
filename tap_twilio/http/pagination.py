"""The ways in which Twilio pages."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from decimal import Decimal
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from msgspec import Raw

from tap_twilio.http.mending import WRONG, mend

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from collections.abc import Set as AbstractSet

    from tap_twilio.http.mending import Mended

Payload = dict[str, Raw]
T = TypeVar("T")

_envelopes = msgspec.json.Decoder(Payload)
_values = msgspec.json.Decoder(float_hook=Decimal)
_raws = msgspec.json.Decoder(list[Raw])
_NULL = re.compile(rb"null")
_ARRAY = re.compile(rb"\[")
_OBJECT = re.compile(rb"\{")
_OBJECTS = re.compile(rb"\[\s*(?:null\s*(?:,\s*)?)*[]{]")
_NO_OBJECTS = "its array holds something else than objects"

ENVELOPE = frozenset({"links", "meta", "schemas", "totalResults", "uri", "url"})
"""Fields that may stand beside the rows of a list that comes whole."""

MENDED = (
    "wasn't proper JSON, and was mended: what is no character became U+FFFD, what is no number null"
)
"""What to report of a field."""


class ShapeError(ValueError):
    """A body that isn't of the endpoint's documented shape."""


class CutError(ShapeError):
    """A body that ends too early."""


@dataclass(frozen=True, slots=True)
class Listing:
    """The content of one response.

    Attributes:
        rows: As Twilio sent them: checked, but not decoded, which takes a quarter of the memory.
        link: The link to the next page, exactly as Twilio gave it; none on the last.
        more: Where Twilio gives no link: the query parameters that the next page needs besides.
        oddities: What to report of a body that wasn't proper JSON.
    """

    rows: Raw
    link: str | None = None
    more: dict[str, str] | None = None
    oddities: tuple[str, ...] = ()


def read(
    form: str, body: bytes, data_key: str | None, *, fields: AbstractSet[str] | None = None
) -> Listing:
    """Read a response.

    Args:
        form: Name of the paging form, as schema files have it, or ``any`` to find it.
        data_key: Name of the array; none for a single object, or to find it.
        fields: Of which a single object must have some; none to take any.

    Raises:
        CutError: It ends too early.
        ShapeError: It is no JSON object, or not of that form.
    """
    try:
        return _read(form, body, data_key, fields)
    except WRONG:
        mended = mend(body)
    if mended.is_cut:
        msg = "it breaks off" if body.strip() else "it is empty"
        raise CutError(msg)
    try:
        return _read(form, mended.body, data_key, fields, mended)
    except WRONG as error:
        msg = "it is no JSON object"
        raise ShapeError(msg) from error


def _read(
    form: str,
    body: bytes,
    data_key: str | None,
    fields: AbstractSet[str] | None,
    mended: Mended | None = None,
) -> Listing:
    payload = _envelopes.decode(body)
    if not body.isascii():
        # What isn't decoded yet isn't looked at for this.
        body.decode()
    if form == "any":
        form, data_key = recognise(payload, data_key)
    elif data_key is None and form == "none" and fields and fields.isdisjoint(payload):
        msg = "it has none of the resource's fields"
        raise ShapeError(msg)
    if data_key is None and form == "none":
        listing = Listing(Raw(b"[" + body + b"]"))
    else:
        listing = FORMS[form](payload, data_key)
    if mended is None:
        return listing
    # A field of the body itself, or of the rows in it.
    told = _oddities(
        place[1:] if payload[place[0]] is listing.rows else place for place in mended.places
    )
    if mended.is_marked:
        told.append("an answer began with a byte order mark, which was left out")
    return replace(listing, oddities=tuple(told))


def _oddities(places: Iterable[tuple[str, ...]]) -> list[str]:
    names = {name for place in places for name in place[:1]}
    return [f"field {name!r} {MENDED}" for name in sorted(names)]


def recognise(payload: Payload, data_key: str | None) -> tuple[str, str | None]:
    """Tell a page's form and its array; no array where all of it is a single object.

    Raises:
        ShapeError: It is a list's page, and doesn't tell which array holds the rows.
    """
    meta = _value(payload, "meta")
    marks = meta.keys() if isinstance(meta, dict) else set()
    if marks & {"next_token", "nextToken"}:
        form = "token"
    elif marks & {"key", "next_page_url"}:
        form = "meta"
    elif "next_page_uri" in payload:
        form = "uri"
    elif isinstance(cursor := _value(payload, "pagination"), dict) and "next" in cursor:
        form = "cursor"
    else:
        form = "page_number" if "has_next" in payload else "none"
    if data_key is not None or "key" in marks:
        return form, data_key
    arrays = [name for name, value in payload.items() if _OBJECTS.match(value)]
    if form == "none" and (len(arrays) != 1 or not payload.keys() <= {*arrays, *ENVELOPE}):
        return form, None
    if len(arrays) != 1:
        msg = f"it has {len(arrays)} arrays of objects instead of one; data_key tells which"
        raise ShapeError(msg)
    return form, arrays[0]


def decoder(row: type[T]) -> msgspec.json.Decoder[list[T]]:
    """Make a decoder of rows, with all decimals; where they don't fit, it raises :data:`WRONG`."""
    return msgspec.json.Decoder(list[row], float_hook=Decimal)  # type: ignore[valid-type]


_rows_decoder = decoder(dict[str, Any])


def salvage(rows: Raw) -> tuple[Raw, int, list[str]]:
    """Mend rows that were refused.

    Returns:
        The rows without those that are no objects; how many those were; what to report of others.
    """
    mended = mend(bytes(rows))
    each = _raws.decode(mended.body)
    objects = [row for row in each if _OBJECT.match(row)]
    kept = Raw(b"[" + b",".join(objects) + b"]")
    return kept, len(each) - len(objects), _oddities(mended.places)


def decode(rows: Raw) -> list[dict[str, Any]]:
    """Decode rows, numbers with all their decimals.

    Raises:
        ShapeError: Not all of them are objects.
    """
    try:
        return _rows_decoder.decode(rows)
    except WRONG as error:
        raise ShapeError(_NO_OBJECTS) from error


def pick(rows: Raw, indexes: Iterable[int]) -> Raw:
    """Leave out rows before they are decoded: keep those with the indexes."""
    each = _raws.decode(rows)
    return Raw(b"[" + b",".join(each[index] for index in indexes) + b"]")


class FieldReader:
    """Reads a few fields of rows, in a fraction of the time that whole rows take."""

    def __init__(self, *fields: str) -> None:
        """Compile a decoder of the fields."""
        names = [f"field_{number}" for number in range(len(fields))]
        row = msgspec.defstruct(
            "Row",
            [(name, Any, None) for name in names],
            rename=dict(zip(names, fields, strict=True)),
        )
        self._decoder = decoder(row)
        self._getters = [attrgetter(name) for name in names]

    def __call__(self, rows: Raw) -> list[list[Any]]:
        """Give a list for each field: its values as Twilio sent them, null where a row lacks it.

        Raises:
            ShapeError: Not all rows are objects.
        """
        try:
            found = self._decoder.decode(rows)
        except WRONG as error:
            raise ShapeError(_NO_OBJECTS) from error
        return [list(map(getter, found)) for getter in self._getters]


def read_uri(payload: Payload, data_key: str | None) -> Listing:
    """Read a page of the 2010 API: ``next_page_uri`` beside the one array."""
    return Listing(_named_rows(payload, data_key), _link(_value(payload, "next_page_uri")))


def read_meta(payload: Payload, data_key: str | None) -> Listing:
    """Read a page of a product API: ``meta`` names the array and gives ``next_page_url``."""
    meta = _meta(payload)
    rows = _named_rows(payload, data_key, meta.get("key"))
    return Listing(rows, _link(meta.get("next_page_url")))


def read_array(payload: Payload, data_key: str | None) -> Listing:
    """Read a list that comes whole."""
    return Listing(_rows(payload, data_key))


def read_token(payload: Payload, data_key: str | None) -> Listing:
    """Read a page whose ``meta`` gives a token for the next one instead of a link."""
    meta = _meta(payload)
    rows = _named_rows(payload, data_key, meta.get("key"))
    for name, parameter in (("next_token", "Token"), ("nextToken", "pageToken")):
        if token := meta.get(name):
            return Listing(rows, more={parameter: str(token)})
    return Listing(rows)


def read_cursor(payload: Payload, data_key: str | None) -> Listing:
    """Read a page whose ``pagination`` gives a token for the next one, as of Bulk Messaging."""
    cursor = _value(payload, "pagination")
    token = cursor.get("next") if isinstance(cursor, dict) else None
    rows = _named_rows(payload, data_key)
    return Listing(rows, more={"pageToken": str(token)}) if token else Listing(rows)


def read_page_number(payload: Payload, data_key: str | None) -> Listing:
    """Read a page that has a number, and says whether another follows."""
    rows = _rows(payload, data_key)
    if not _value(payload, "has_next"):
        return Listing(rows)
    current = _value(payload, "current_page")
    if not isinstance(current, int):
        msg = "its 'current_page' is not a number"
        raise ShapeError(msg)
    return Listing(rows, more={"Page": str(current + 1)})


FORMS: dict[str, Callable[[Payload, str | None], Listing]] = {
    "uri": read_uri,
    "meta": read_meta,
    "none": read_array,
    "token": read_token,
    "cursor": read_cursor,
    "page_number": read_page_number,
}
"""Readers by the name of the paging form, as schema files have it."""


def _value(payload: Payload, key: str) -> Any:  # noqa: ANN401
    return _values.decode(payload[key]) if key in payload else None


def _meta(payload: Payload) -> dict[str, Any]:
    meta = _value(payload, "meta")
    if not isinstance(meta, dict):
        msg = "it has no 'meta' object"
        raise ShapeError(msg)
    return meta


def _named_rows(payload: Payload, data_key: str | None, told: object = None) -> Raw:
    """Find the rows: in the array that the page names, in that of the key, or in the only one."""
    names = [name for name in (told, data_key) if isinstance(name, str) and name in payload]
    for form in (_ARRAY, _NULL):
        for name in names:
            if form.match(payload[name]):
                return _rows(payload, name)
    lists = [name for name, value in payload.items() if _ARRAY.match(value)]
    if data_key in payload or len(lists) == 1:
        return _rows(payload, data_key if data_key in payload else lists[0])
    msg = f"it has {len(lists)} arrays instead of one"
    raise ShapeError(msg)


def _rows(payload: Payload, key: Any) -> Raw:  # noqa: ANN401
    rows = payload.get(key)
    if rows is not None and _OBJECTS.match(rows):
        return rows
    if rows is not None and _NULL.match(rows):
        return Raw(b"[]")
    if rows is None or not _ARRAY.match(rows) or not any(map(_OBJECT.match, _raws.decode(rows))):
        msg = f"{key!r} is not an array of objects"
        raise ShapeError(msg)
    return rows


def _link(value: Any) -> str | None:  # noqa: ANN401
    if value is not None and not isinstance(value, str):
        msg = "its link to the next page is not a string"
        raise ShapeError(msg)
    return value or None
