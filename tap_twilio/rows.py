"""Rows as structs of their fields, which take a third less work than dicts.

As a rule all rows of a list have the same fields, with values of the same types. So where the
first page shows which, the others are decoded into a struct of just these: that they fit is
checked on the way. A page that doesn't fit in any respect is decoded into dicts instead.
"""

from __future__ import annotations

from operator import attrgetter, setitem
from typing import TYPE_CHECKING, Any, cast

import msgspec

from tap_twilio import pagination, records
from tap_twilio.mending import WRONG
from tap_twilio.records import BLOCK, ODDITIES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from msgspec import Raw

    from tap_twilio.records import Converter, Record

LEAST_ROWS = 100
"""Rows of a page that shows what the others look like: with fewer on a page, it doesn't pay."""

PATIENCE = 4
"""Pages in a row that may not fit before no more are tried."""


class Row(msgspec.Struct, gc=False):
    """A record that is only to be written; its fields are attributes."""

    def get(self, name: str) -> Any:  # noqa: ANN401
        """Read a field, as that of a dict.

        Args:
            name: Its name.

        Returns:
            Its value; null if there is no such field.
        """
        return getattr(self, name, None)


def column(page: list[Record], name: str) -> Iterable[Any]:
    """Read a field of all records of a page.

    Args:
        page: The records: all dicts, or all structs.
        name: The field's name.

    Returns:
        Its values; null where a record lacks it.
    """
    if page and isinstance(page[0], Row) and hasattr(page[0], name):
        return map(attrgetter(name), page)
    return (record.get(name) for record in page)


def setter(page: list[Record]) -> Callable[[Any, str, Any], None]:
    """Tell what sets a field of a page's records.

    Args:
        page: The records: all dicts, or all structs.

    Returns:
        A function of a record, a field that it has, and the field's new value.
    """
    return setattr if page and isinstance(page[0], Row) else setitem


def lacking(page: list[Record], names: Iterable[str]) -> list[int]:
    """Tell which records of a page lack one of some fields.

    Args:
        page: The records: all dicts, or all structs.
        names: The fields' names.

    Returns:
        Indexes of records in which one of the fields is null or absent, in order.
    """
    found: set[int] = set()
    for name in names:
        # Told faster than whether one is null.
        if not all(column(page, name)):
            found |= {index for index, value in enumerate(column(page, name)) if value is None}
    return sorted(found)


class Alike:
    """Decodes and types pages whose rows are alike."""

    def __init__(self, converter: Converter) -> None:
        """Know nothing yet.

        Args:
            converter: The schema, compiled.
        """
        self._converter = converter
        self._decoder: msgspec.json.Decoder[list[Row]] | None = None
        self._columns: dict[str, records.Column] = {}
        self._nesting: list[str] = []
        self._patience = PATIENCE

    def learn(self, page: list[Record], added: Mapping[str, Any]) -> None:
        """See which fields the rows have.

        Args:
            page: Rows as Twilio sent them.
            added: Fields that each row must have: its parents' SIDs.
        """
        if self._decoder is not None or self._patience == 0 or len(page) < LEAST_ROWS:
            return
        shape, *others = set(map(tuple, page))
        converter = self._converter
        if others or not all(
            name.isidentifier() and not hasattr(Row, name) and not converter.hides(name)
            for name in shape
        ):
            self._patience -= 1
            return
        kinds = {name: kind | None for name, kind in converter.plain.items()}
        self._nesting = list(filter(converter.may_nest, shape))
        row = msgspec.defstruct(
            "Row",
            [
                *((name, kinds.get(name, Any)) for name in shape),
                *((name, Any, None) for name in added if name not in shape),
            ],
            bases=(Row,),
            forbid_unknown_fields=True,
            gc=False,
        )
        self._decoder = pagination.decoder(cast("type[Row]", row))
        self._columns = {
            name: records.column(convert, getattr, setattr)
            for name, convert in converter.typed.items()
            if name in shape
        }

    def decode(self, rows: Raw, added: Mapping[str, Any]) -> list[Record] | None:
        """Decode and type a page.

        Args:
            rows: The rows of a page as Twilio sent them.
            added: Fields that each row must have.

        Returns:
            A record for each row, of which only ``get`` may be asked; none if the rows of this
            page aren't like those that were seen.
        """
        if self._decoder is None or not self._patience:
            return None
        try:
            page = self._decoder.decode(rows)
            for start in range(0, len(page), BLOCK):
                self._type(page[start : start + BLOCK], added)
        except (*WRONG, *ODDITIES):
            self._patience -= 1
            return None
        self._patience = PATIENCE
        return cast("list[Record]", page)

    def _type(self, page: list[Row], added: Mapping[str, Any]) -> None:
        self._converter.search(page, self._nesting, getattr)
        for name, value in added.items():
            for row in page:
                if getattr(row, name) is None:
                    setattr(row, name, value)
        for name, change in self._columns.items():
            change(page, name)
