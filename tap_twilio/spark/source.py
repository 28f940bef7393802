"""Spark's doors to the streams: what Spark asks of a data source, and nothing else."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, cast

from pyspark.sql.datasource import (
    DataSource,
    DataSourceReader,
    DataSourceStreamReader,
    EqualTo,
    GreaterThan,
    GreaterThanOrEqual,
    In,
    LessThan,
    LessThanOrEqual,
)
from pyspark.sql.streaming.datasource import SupportsTriggerAvailableNow
from typing_extensions import override

from tap_twilio.arrow.tap import TwilioError
from tap_twilio.resource.windows import DAY, EPOCH, iso, parse_moment
from tap_twilio.spark.jobs import Job

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, MutableMapping, Sequence

    import pyarrow as pa
    from pyspark.sql.datasource import Filter, InputPartition
    from pyspark.sql.streaming.datasource import ReadLimit
    from pyspark.sql.types import StructType

    from tap_twilio.resource.windows import Unit
    from tap_twilio.spark.jobs import Stretch

UNTIL = "until"
"""The one part of an offset: the moment up to which all was read; empty at the beginning."""


class TwilioDataSource(DataSource):
    """Twilio's streams as tables: ``spark.read.format("twilio").option("stream", "calls")``."""

    def __init__(self, options: MutableMapping[str, str]) -> None:
        """Check the options: see :meth:`tap_twilio.spark.jobs.Job.from_options`."""
        super().__init__(options)
        self._job = Job.from_options(options)

    @classmethod
    @override
    def name(cls) -> str:
        return "twilio"

    @override
    def schema(self) -> StructType:
        return self._job.table().columns.struct

    @override
    def reader(self, schema: StructType) -> DataSourceReader:
        return Reader(self._job, schema)

    @override
    def streamReader(self, schema: StructType) -> DataSourceStreamReader:
        return StreamReader(self._job, schema)


class _Reads:
    """Base of both readers: the columns to give, and how a task reads them."""

    def __init__(self, job: Job, schema: StructType) -> None:
        self._job = job
        self._table = job.table()
        self._names = self._table.columns.chosen(schema)
        self._start = _moment(job, "start_date")
        self._end = _moment(job, "end_date")

    def read(self, partition: InputPartition) -> Iterator[pa.RecordBatch]:
        """Read a task's rows, a batch a page."""
        return self._job.read(cast("Stretch", partition), self._table, self._names)


class Reader(_Reads, DataSourceReader):
    """Reads a stream once, from its start date on."""

    @override
    def pushFilters(self, filters: list[Filter]) -> Iterable[Filter]:
        """Ask Twilio for less where it can; Spark still looks at every row itself."""
        dates, narrowed = self._table.dates, {}
        for each in filters:
            column = ".".join(getattr(each, "attribute", ()))
            value = getattr(each, "value", None)
            if dates is not None and column == dates.key and isinstance(value, date):
                # A date at the ends of the calendar bounds nothing.
                with suppress(OverflowError):
                    self._narrow(each, _in_utc(value), dates.precision)
            elif column in self._table.filters and isinstance(each, (EqualTo, In)):
                values = {value} if isinstance(each, EqualTo) else set(each.value) - {None}
                if (
                    values
                    and "" not in values
                    and values <= (self._table.filters[column] or values)
                ):
                    narrowed[column] = sorted(values)
        self._job.narrow(narrowed)
        return filters

    def _narrow(self, bound: Filter, moment: datetime, precision: Unit) -> None:
        # A range that begins with Twilio holds rows that say they are older, too.
        if isinstance(bound, (GreaterThan, GreaterThanOrEqual, EqualTo)) and moment > EPOCH:
            self._start = max(self._start or moment, moment)
        if isinstance(bound, (LessThan, LessThanOrEqual, EqualTo)):
            end = max(precision.after(moment), EPOCH + DAY)
            self._end = min(self._end or end, end)

    @override
    def partitions(self) -> Sequence[InputPartition]:
        lookback = self._job.settings.get("lookback_days")
        return self._job.cut(self._start, self._end, lookback)


class StreamReader(_Reads, DataSourceStreamReader, SupportsTriggerAvailableNow):
    """Reads what is new since the checkpoint, and again what may have changed since."""

    def __init__(self, job: Job, schema: StructType) -> None:
        """Check that the stream has dates.

        Raises:
            TwilioError: It has none, or an end.
        """
        super().__init__(job, schema)
        if self._table.dates is None:
            msg = f"{job.stream} has no date to go on from: read it with spark.read instead"
            raise TwilioError(msg)
        if self._end is not None:
            msg = "end_date: a stream of increments has no end; read it with spark.read instead"
            raise TwilioError(msg)
        days = job.settings.get("lookback_days")
        self._lookback = self._table.dates.lookback if days is None else DAY * float(days)
        self._until: str | None = None

    @override
    def initialOffset(self) -> dict[str, Any]:
        return {UNTIL: ""}

    @override
    def prepareForTriggerAvailableNow(self) -> None:
        self._until = iso(self._job.reached())

    @override
    def latestOffset(self, start: dict[str, Any], limit: ReadLimit) -> dict[str, Any]:
        return {UNTIL: self._until or iso(self._job.reached())}

    @override
    def partitions(self, start: dict[str, Any], end: dict[str, Any]) -> Sequence[InputPartition]:
        if start == end:
            return []
        until, since = datetime.fromisoformat(end[UNTIL]), self._start
        if start[UNTIL]:
            before = datetime.fromisoformat(start[UNTIL]) - self._lookback
            since = max(since or before, before)
        return replace(self._job, present=until).cut(since, until)


def _moment(job: Job, name: str) -> datetime | None:
    value = job.settings.get(name)
    return None if value is None else parse_moment(value, job.present)


def _in_utc(value: date) -> datetime:
    """Make a moment of what Spark compares a column with: a day, or a time with its offset."""
    if not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    return value.astimezone(UTC).replace(microsecond=0)
