"""From a worker's pages to records: decoded, typed, cut to their window, masked."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final, TypeVar

from tap_twilio.engine.requests import Batch
from tap_twilio.http import files, pagination
from tap_twilio.http.errors import TapError
from tap_twilio.http.pagination import ShapeError
from tap_twilio.records.convert import Converter
from tap_twilio.records.keys import identity, lacking
from tap_twilio.records.pii import Masker
from tap_twilio.resource.windows import floor_of, iso

if TYPE_CHECKING:
    from collections.abc import Callable

    from msgspec import Raw

    from tap_twilio.engine.requests import Fetched, Record
    from tap_twilio.records.pii import Rule
    from tap_twilio.resource.resource import Node
    from tap_twilio.resource.windows import DateFilter, Window

DECODED: Final = 4
"""How many times the memory of its JSON a row takes once it is decoded."""

FAR_OFF: Final = timedelta(days=3)
"""No reading of a date filter gives rows further than this outside of what was asked for."""

FATES: Final = {"keep": "passed on", "hash": "hashed", "drop": "dropped"}
"""Fate of a field that no schema knows, by the setting ``pii``."""

T = TypeVar("T")


class Decoder:
    """Makes records of a stream's pages.

    Attributes:
        unknown: Fields that records had and the schema lacks.
    """

    def __init__(self, node: Node, rule: Rule, *, wants_undated: bool = True) -> None:
        """Compile the schema; rows without a date stay in windows only if they are wanted."""
        resource = node.resource
        self._node = node
        self._resource = resource
        self._wants_undated = wants_undated
        self._converter = Converter(
            resource.schema,
            secrets=resource.secret_fields,
            report=lambda name, oddity: node.warn_once(f"field {name!r} {oddity}"),
            unknown=f"is not in the schema; it is {FATES[rule.how]}",
        )
        self.unknown = self._converter.unknown
        keys = {*resource.keys, resource.key}
        self._masker = None if rule.how == "keep" else Masker(resource.schema, rule, keys)

    def decode(self, fetched: Fetched) -> Batch:
        """Make a page's records: those of its window, complete and typed.

        Raises:
            TapError: Its rows are something else than objects.
        """
        batch = Batch.of(fetched)
        batch.records = self.type(fetched.rows, batch)
        batch.received = len(batch.records)
        window, dates = fetched.request.window, self._resource.window
        if window is not None and dates is not None:
            self._keep_window(batch, window, dates)
        return self.weighed(batch)

    def type(self, rows: Raw, batch: Batch) -> list[Record]:
        """Make typed records of rows of a batch's page.

        Raises:
            TapError: They are something else than objects.
        """
        records, _ = self.read(rows, pagination.decode, batch)
        for name, path in self._resource.promoted.items():
            outer, inner = path.split(".")
            for record in records:
                nested = record.get(outer)
                record[name] = nested.get(inner) if isinstance(nested, dict) else None
        self._converter.convert(records, batch.request.context)
        for name, value in self._resource.stand_ins.items():
            for index in lacking(records, [name]):
                records[index][name] = value
        for name, value in self._resource.void_values.items():
            for record in records:
                if record.get(name) == value:
                    record[name] = None
        return records

    def read(self, rows: Raw, reader: Callable[[Raw], T], batch: Batch) -> tuple[T, Raw]:
        """Have rows decoded, and give the result and the rows.

        Rows that can't be decoded are mended or left out first, and noted in the batch.

        Raises:
            TapError: The rows are something else than objects.
        """
        try:
            return reader(rows), rows
        except ShapeError:
            salvage = pagination.salvage if batch.request.file is None else files.salvage
            rows, lost, oddities = salvage(rows)
        batch.lost += lost
        batch.oddities = (*batch.oddities, *oddities)
        try:
            return reader(rows), rows
        except ShapeError as error:
            msg = f"{self._node.name}: the answer isn't what it should be: {error}"
            raise TapError(msg) from error

    def weighed(self, batch: Batch) -> Batch:
        """Note in a batch how much memory its records take."""
        batch.size = batch.size * DECODED * len(batch.records) // max(1, batch.received)
        return batch

    def mask(self, records: list[Record]) -> list[Record]:
        """Mask personal data, unless it is kept."""
        return records if self._masker is None else self._masker.mask(records)

    def _keep_window(self, batch: Batch, window: Window, dates: DateFilter) -> None:
        key, records = self._resource.key, batch.records
        if records:
            last = records[-1]
            batch.last = identity(last, self._resource.keys), last.get(key)
        if self._resource.date_setting is not None:
            self._doubt(records, window, dates)
        start, end = self._bounds(window)
        undated = self._wants_undated
        batch.records = [
            row
            for row in records
            if (undated if (date := row.get(key)) is None else start <= date < end)
        ]

    def _bounds(self, window: Window) -> tuple[str, str]:
        """Write a window's bounds so that they compare with the key's values as strings."""
        start = floor_of(window.start)
        end = "~" if window.end is None else iso(window.end)[:-1]
        field = self._resource.schema["properties"][self._resource.key]
        return (start[:10], end[:10]) if field.get("format") == "date" else (start, end)

    def _doubt(self, records: list[Record], window: Window, dates: DateFilter) -> None:
        """Say so where rows lie far outside of what a user's own date parameters asked for."""
        key = self._resource.key
        oldest = floor_of(window.start - FAR_OFF)
        newest = "~" if window.end is None else iso(window.end + FAR_OFF)
        found = [date for record in records if (date := record.get(key))]
        if not all(oldest < date < newest for date in found):
            after, before = dates.names
            self._node.warn_once(
                "Twilio sends rows of other dates than it is asked for. Check whether "
                f"{self._resource.date_setting}, {after!r} and {before!r}, are "
                f"parameters of this list that bound {key!r}"
            )
