"""DuckDB over the target's files: one table for each stream, one row for each key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import duckdb

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

SCHEMA = "twilio"


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

    def __init__(self, path: Path) -> None:
        """Open it, or make an empty one.

        Args:
            path: The database file.
        """
        self._database = duckdb.connect(str(path))

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    def load(
        self, rows: Path, keys: Mapping[str, Sequence[str]], first_run: Mapping[str, int]
    ) -> dict[str, Changes]:
        """Make a table of each file.

        Args:
            rows: The folder of the target's files.
            keys: The fields by which a row is known, by stream.
            first_run: How many lines the first run wrote, by stream.

        Returns:
            What the second run brought, by stream.
        """
        found = {}
        self._database.execute(f"create schema {SCHEMA}")
        for path in sorted(rows.glob("*.jsonl")):
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
                create table {SCHEMA}."{stream}" as
                select * exclude (line)
                from lines
                qualify row_number() over (partition by {key} order by line desc) = 1
                """  # noqa: S608 - names from the tap's own catalog
            )
            found[stream] = self._changes(key, first_run.get(stream, 0))
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

    def select(self, query: str, *parameters: object) -> list[dict[str, Any]]:
        """Ask.

        Args:
            query: The SQL.
            parameters: What stands for its question marks.

        Returns:
            The rows.
        """
        result = self._database.execute(query, parameters)
        names = [column[0] for column in result.description or ()]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]
