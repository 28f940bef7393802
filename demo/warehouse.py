"""DuckDB over the target's files: one row for each key, and the first questions."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import duckdb

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

# What the week's report reads; an account that never called anybody has no file of calls.
NEEDED = {
    "calls": "start_time timestamptz, status varchar, duration bigint",
    "messages": "date_sent timestamptz, status varchar, direction varchar",
    "usage_records_daily": "start_date date, category varchar, price double, price_unit varchar",
}

LAST_WEEK = """
with calls_by_day as (
    select
        (start_time at time zone 'UTC')::date as day,
        count(*) as calls,
        avg((status = 'completed')::int) as completed,
        avg(duration) filter (status = 'completed') as seconds
    from calls
    group by day
),
messages_by_day as (
    select
        (date_sent at time zone 'UTC')::date as day,
        count(*) as messages,
        -- Only what was sent is delivered; what came in is received.
        avg((status in ('delivered', 'read'))::int) filter (direction <> 'inbound') as delivered
    from messages
    group by day
),
cost_by_day as (
    -- Twilio's categories overlap; this one is their sum.
    select start_date as day, sum(price) as cost
    from usage_records_daily
    where category = 'totalprice'
    group by day
)
select
    strftime(day, '%a %d %b') as day,
    format('{:,}', coalesce(calls, 0)) as calls,
    coalesce(format('{:.0f} %', completed * 100), '-') as completed,
    coalesce(format('{}:{:02}', seconds::int // 60, seconds::int % 60), '-') as average,
    format('{:,}', coalesce(messages, 0)) as messages,
    coalesce(format('{:.0f} %', delivered * 100), '-') as delivered,
    coalesce(format('{:,.2f}', cost), '-') as cost
from calls_by_day
full join messages_by_day using (day)
full join cost_by_day using (day)
where day is not null
qualify row_number() over (order by day desc) <= 7
order by max(day) over (partition by day)
"""


class Changes(NamedTuple):
    """What a second run brought.

    Attributes:
        new: Keys that the first run didn't see.
        changed: Keys whose row differs from what the first run saw.
        stored: All keys.
    """

    new: int
    changed: int
    stored: int


class Warehouse:
    """Tables with one row for each key, made of files to which every run only appended."""

    def __init__(self, path: Path, rows: Path) -> None:
        """Make an empty one.

        Args:
            path: The database file.
            rows: The folder of the target's files.
        """
        self._rows = rows
        self._database = duckdb.connect(str(path))

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    def load(
        self, keys: Mapping[str, Sequence[str]], first_run: Mapping[str, int]
    ) -> dict[str, Changes]:
        """Make a table of each file.

        Args:
            keys: The fields by which a row is known, by stream.
            first_run: How many lines the first run wrote, by stream.

        Returns:
            What the second run brought, by stream.
        """
        found = {}
        for path in sorted(self._rows.glob("*.jsonl")):
            stream = path.stem
            key = ", ".join(f'"{field}"' for field in keys[stream])
            # All rows are looked at before types are guessed: a field may long be empty.
            self._database.execute(
                """
                create or replace temp table lines as
                select *, row_number() over () as line
                from read_json_auto(?, format = 'newline_delimited', sample_size = -1)
                """,
                [str(path)],
            )
            # The target only appended: what was written last is what Twilio said last.
            self._database.execute(
                f"""
                create table "{stream}" as
                select * exclude (line)
                from lines
                qualify row_number() over (partition by {key} order by line desc) = 1
                """  # noqa: S608 - names from the tap's own catalog
            )
            found[stream] = self._changes(key, first_run.get(stream, 0))
        for stream, columns in NEEDED.items():
            self._database.execute(f'create table if not exists "{stream}" ({columns})')
        return found

    def _changes(self, key: str, first_run: int) -> Changes:
        row = self._database.execute(
            f"""
            with versions as (
                select
                    arg_max(content, line) filter (line <= ?) as earlier,
                    arg_max(content, line) as latest
                from (
                    select
                        {key},
                        line,
                        -- When Twilio made a sum says nothing about the sum.
                        row(*columns(lambda name: name not in ('line', 'as_of'))) as content
                    from lines
                )
                group by {key}
            )
            select
                count(*) filter (earlier is null),
                count(*) filter (earlier is not null and earlier <> latest),
                count(*)
            from versions
            """,  # noqa: S608 - names from the tap's own catalog
            [first_run],
        ).fetchone()
        return Changes(*(row or (0, 0, 0)))

    def statuses(self, stream: str) -> dict[str, str]:
        """Give each row's status.

        Args:
            stream: The stream.

        Returns:
            The statuses by SID.
        """
        return dict(self._database.execute(f'select sid, status from "{stream}"').fetchall())  # noqa: S608

    def costs(self) -> dict[str, float]:
        """Give what all accounts together cost.

        Returns:
            The costs by day.
        """
        return dict(
            self._database.execute(
                """
                select start_date::varchar, sum(price::double)
                from usage_records_daily
                where category = 'totalprice'
                group by all
                """
            ).fetchall()
        )

    def last_week(self) -> tuple[list[str], list[tuple[str, ...]]]:
        """Ask for the last seven days.

        Returns:
            The columns' names, and the rows.
        """
        result = self._database.execute(LAST_WEEK)
        names = [column[0] for column in result.description or ()]
        return names, result.fetchall()

    def currency(self) -> str:
        """Give the unit of costs."""
        query = "select upper(any_value(price_unit)) from usage_records_daily"
        row = self._database.execute(query).fetchone()
        return str(row[0]) if row and row[0] else "USD"
