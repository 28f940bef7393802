"""The work of a reader: one stream, cut into an account's stretches of time."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, cast

from pyspark.sql.datasource import InputPartition

from tap_twilio.arrow.tap import QuietTap, TwilioError, one_sentence
from tap_twilio.config.checks import short
from tap_twilio.config.schema import REQUESTS, SCHEMA
from tap_twilio.config.settings import now_utc
from tap_twilio.resource.windows import DAY, Unit, iso
from tap_twilio.spark.tables import Table
from tap_twilio.streams.accounts import Accounts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    import pyarrow as pa

    from tap_twilio.streams.base import TwilioStream

STRETCHES = 4
"""Stretches of time that an account is cut into, unless told otherwise."""

_REDACTED = re.compile("secret|password|token")
"""Options that Spark itself takes for secrets: it shows the values of all others."""


@dataclass(repr=False)
class Stretch(InputPartition):
    """The rows that one task reads.

    Attributes:
        present: The moment of the query, in UTC.
        account_sid: The account; none for the list of accounts.
        start: First moment, in UTC; none for all that Twilio keeps.
        end: First moment after it; none for an open stretch.
        lookback: Days before the present in which to look for rows that have no date: the newest
            stretch looks for those of all stretches.
    """

    present: datetime
    account_sid: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    lookback: float | None = None


@dataclass
class Job:
    """One stream and the settings to read it with; Spark sends it to its workers.

    Attributes:
        stretches: Tasks that an account is cut into.
        present: The moment of the query, in UTC.
    """

    stream: str
    settings: dict[str, Any] = field(repr=False)
    stretches: int = STRETCHES
    present: datetime = field(default_factory=now_utc)

    @classmethod
    def from_options(cls, options: Mapping[str, str]) -> Job:
        """Read the options of a data frame.

        Args:
            options: ``stream``, ``stretches``, and settings of the tap by their names; lists,
                objects and numbers as JSON. Settings that aren't there are taken from the driver's
                environment, as ``TAP_TWILIO_…``.

        Raises:
            TwilioError: An option makes no sense.
        """
        given = {name.lower(): value for name, value in options.items()}
        stream = given.pop("stream", None)
        if stream is None:
            msg = "the option 'stream' is required: the name of the stream to read"
            raise TwilioError(msg)
        stretches = given.pop("stretches", str(STRETCHES))
        if not stretches.isdecimal() or int(stretches) == 0:
            msg = f"the option 'stretches' is a number from 1 on, not {stretches!r}"
            raise TwilioError(msg)
        # The tasks of one account share what one run may have in flight.
        requests = max(1, REQUESTS // int(stretches))
        # The driver's environment: that of the workers may be another.
        settings = {"max_concurrent_requests": requests} | QuietTap.environment()
        settings |= {name: _parsed(name, value) for name, value in given.items()}
        if settings.get("pii") == "keep":
            # The environment has it for those queries that hash.
            settings.pop("pii_key", None)
        job = cls(stream, settings, int(stretches))
        job.tap()
        return job

    def tap(self, **settings: Any) -> QuietTap:
        """Start a tap for this stream only; these settings win, and those that are null are unset.

        Raises:
            TwilioError: The settings make no sense, or there is no such stream.
        """
        config = self.settings | settings
        with one_sentence():
            tap = QuietTap(
                present=self.present,
                config={name: value for name, value in config.items() if value is not None},
            )
            tap.select([self.stream])
        return tap

    def table(self) -> Table:
        """Describe what is read."""
        return Table.of(cast("TwilioStream", self.tap().streams[self.stream]))

    def narrow(self, filters: Mapping[str, Any]) -> None:
        """Ask Twilio for some of the rows only; the setting ``filters`` wins over these filters."""
        if filters:
            given = self.settings.get("filters", {})
            own = {**filters, **given.get(self.stream, {})}
            self.settings = self.settings | {"filters": {**given, self.stream: own}}

    def cut(
        self, start: datetime | None, end: datetime | None, lookback: float | None = None
    ) -> list[Stretch]:
        """Cut the work into tasks.

        Args:
            start: First moment to read, in UTC; none for all that Twilio keeps.
            end: First moment after those to read; none for the newest.
            lookback: Days before the present in which to look for rows that have no date; by
                default back to the start.

        Returns:
            The tasks: of each account that is open and can be signed in for, its stretches of
            time, cut at midnights. Together they are the whole, and no two share a row.

        Raises:
            TwilioError: Twilio refuses the credentials, or can't be reached.
        """
        if self.stream == Accounts.name:
            return [Stretch(self.present)]
        if end is not None and end > self.present:
            end = None
        if start is not None and start >= (end or self.present):
            return []
        bounds = [start, *self._cuts(start, end), end]
        if lookback is None and start is not None:
            lookback = (self.present - start) / DAY
        pairs = list(pairwise(bounds))
        return [
            Stretch(self.present, account, *pair, lookback if pair == pairs[-1] else None)
            for account in self._accounts()
            for pair in pairs
        ]

    def _cuts(self, start: datetime | None, end: datetime | None) -> list[datetime]:
        # A preview is so many rows of each account, not of each stretch.
        if start is None or "max_records" in self.settings or self.table().dates is None:
            return []
        step = ((end or self.present) - start) / self.stretches
        cuts = {Unit.DAY.floor(start + step * number) for number in range(1, self.stretches)}
        return sorted(cut for cut in cuts if cut > start)

    def reached(self) -> datetime:
        """Give the moment, in UTC, up to which there can be rows: by whichever clock is behind.

        Raises:
            TwilioError: Twilio refuses the credentials, or can't be reached.
        """
        tap = replace(self, present=now_utc()).tap()
        with one_sentence():
            tap.sign_in()
        return tap.run.clock.reached

    def _accounts(self) -> list[str]:
        tap = self.tap()
        with one_sentence():
            return tap.sync.accounts()

    def read(self, stretch: Stretch, table: Table, names: list[str]) -> Iterator[pa.RecordBatch]:
        """Read one task's rows, a batch a page; runs in a worker.

        Raises:
            TwilioError: Something could not be read to its end.
        """
        settings: dict[str, Any] = {
            "start_date": stretch.start and iso(stretch.start),
            "end_date": stretch.end and iso(stretch.end),
        }
        if stretch.account_sid is not None:
            settings["accounts"] = [stretch.account_sid]
        if stretch.lookback is not None:
            settings["lookback_days"] = stretch.lookback
        tap = replace(self, present=stretch.present).tap(**settings)
        with one_sentence():
            for node, batch in tap.sync.batches():
                if node.name == self.stream and batch.records:
                    yield table.columns.batch(batch.records, names)
            tap.check_complete()


def _parsed(name: str, value: str) -> Any:  # noqa: ANN401
    schema = SCHEMA["properties"].get(name, {})
    if schema.get("secret") and not _REDACTED.search(name):
        msg = (
            f"the option {name!r} is none, as Spark would show it in its event log: put it into "
            f"the driver's environment, as TAP_TWILIO_{name.upper()}"
        )
        raise TwilioError(msg)
    if "string" in schema.get("type", "string"):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        msg = short(f"the option {name!r} is not JSON: {value!r}")
        raise TwilioError(msg) from None
