"""Readings, what becomes of them in a table, and the file that keeps them."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path


@dataclass(frozen=True)
class Reading:
    """What one run showed.

    Attributes:
        scenario: Name of the scenario.
        connector: Name of the connector.
        share: Share of the scenario's rows that there were to read.
        rows: Rows that came, repetitions among them.
        seconds: From start to end.
        first: Seconds until the first row.
        cpu: Seconds of user and system time.
        loader: The same, of what loads where that is another process.
        memory: Most memory at any time, in bytes.
        size: Bytes of output, where that is counted.
        requests: Requests made.
        refused: Requests answered 429.
        in_flight: Most requests at once.
        missing: Rows that there were and that did not come; none if the run was stopped.
        repeated: Rows that came more than once, or that there were not.
        stopped: Whether the run took too long.
        exit_code: How it ended.
    """

    scenario: str
    connector: str
    share: float
    rows: int
    seconds: float
    first: float | None
    cpu: float
    memory: int
    size: int | None
    requests: int
    refused: int
    in_flight: int
    missing: int | None
    repeated: int
    stopped: bool
    exit_code: int
    loader: float = 0.0

    @property
    def rate(self) -> float:
        """Rows a second, at the scenario's full size.

        The time until the first row, in which programs start, is counted once; the rest grows
        with the rows. So who reads a share only isn't charged its start several times over.
        """
        start = min(self.first or 0.0, self.seconds)
        rest = (self.seconds - start) / self.share
        return self.rows / self.share / (start + rest) if self.seconds else 0.0

    @property
    def pace(self) -> float:
        """Rows a second from the first row on, or from the first request on."""
        rest = self.seconds - (self.first or 0.0)
        return self.rows / rest if rest > 0 else 0.0

    @property
    def cpu_per_row(self) -> float:
        """Microseconds of user and system time a row."""
        return self.cpu / self.rows * 1e6 if self.rows else 0.0

    @property
    def loader_per_row(self) -> float:
        """Microseconds of the loader's a row."""
        return self.loader / self.rows * 1e6 if self.rows else 0.0


@dataclass(frozen=True)
class Summary:
    """The medians of a connector's readings in one scenario.

    Attributes:
        connector: Name of the connector.
        share: Share of the rows that it was to read.
        rows: Rows that came.
        seconds: From start to end.
        first: Seconds until the first row.
        rate: Rows a second.
        pace: Rows a second once it has started.
        spread: Lowest and highest rate.
        cpu_per_row: Microseconds of user and system time a row.
        loader_per_row: The same, of what loads where that is another process.
        memory: Most memory, in bytes.
        requests: Requests made.
        refused: Requests answered 429.
        in_flight: Most requests at once.
        missing: Rows missing; none if that isn't known. The worst run counts.
        repeated: Rows too many. The worst run counts.
        failed: Whether any run failed or took too long.
    """

    connector: str
    share: float
    rows: float
    seconds: float
    first: float
    rate: float
    pace: float
    spread: tuple[float, float]
    cpu_per_row: float
    loader_per_row: float
    memory: float
    requests: float
    refused: float
    in_flight: float
    missing: int | None
    repeated: int
    failed: bool


def summarize(readings: Iterable[Reading]) -> dict[str, dict[str, Summary]]:
    """Condense readings.

    Args:
        readings: Of any scenarios and connectors.

    Returns:
        Summaries by scenario and connector, in the order in which they came first.
    """
    groups: dict[str, dict[str, list[Reading]]] = {}
    for reading in readings:
        groups.setdefault(reading.scenario, {}).setdefault(reading.connector, []).append(reading)
    return {
        scenario: {name: _summary(name, own) for name, own in by_connector.items()}
        for scenario, by_connector in groups.items()
    }


def _summary(connector: str, readings: Sequence[Reading]) -> Summary:
    rates = [one.rate for one in readings]
    missing = [one.missing for one in readings if one.missing is not None]
    return Summary(
        connector=connector,
        share=readings[0].share,
        rows=median(one.rows for one in readings),
        seconds=median(one.seconds for one in readings),
        first=median(one.first or 0.0 for one in readings),
        rate=median(rates),
        pace=median(one.pace for one in readings),
        spread=(min(rates), max(rates)),
        cpu_per_row=median(one.cpu_per_row for one in readings),
        loader_per_row=median(one.loader_per_row for one in readings),
        memory=median(one.memory for one in readings),
        requests=median(one.requests for one in readings),
        refused=median(one.refused for one in readings),
        in_flight=median(one.in_flight for one in readings),
        missing=max(missing, default=None),
        repeated=max(one.repeated for one in readings),
        failed=any(one.stopped or one.exit_code for one in readings),
    )


_COLUMNS = (
    "connector",
    "rows",
    "of all",
    "rows/s",
    "±",
    "ours is",
    "µs CPU/row",
    "ours is",
    "loader's",
    "first row s",
    "peak MB",
    "requests",
    "429",
    "in flight",
    "missing",
    "repeated",
)


def table(readings: Iterable[Reading], titles: Mapping[str, str], *, reference: str) -> str:
    """Write one Markdown table.

    Args:
        readings: All readings.
        titles: Titles of the scenarios, by name.
        reference: The connector that the others are compared with: "ours".

    Returns:
        The table.
    """
    rows: list[tuple[str, ...]] = []
    for scenario, summaries in summarize(readings).items():
        rows.append((f"**{titles.get(scenario, scenario)}**", *[""] * (len(_COLUMNS) - 1)))
        ours = summaries.get(reference)
        rows += [_row(one, ours) for one in summaries.values()]
    widths = [max(len(row[place]) for row in [_COLUMNS, *rows]) for place in range(len(_COLUMNS))]
    # A title would make its column wide for all others.
    widths[0] = max((len(row[0]) for row in [_COLUMNS, *rows] if row[1]), default=0)
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    lines = [_COLUMNS, tuple(rule), *rows]
    return "\n".join(
        "| "
        + " | ".join(
            text.rjust(width) if place else text.ljust(width)
            for place, (text, width) in enumerate(zip(line, widths, strict=True))
        )
        + " |"
        for line in lines
    )


def _row(one: Summary, ours: Summary | None) -> tuple[str, ...]:
    faster = cheaper = ""
    if ours is not None and ours is not one and one.rate and ours.cpu_per_row:
        faster = f"{ours.rate / one.rate:.3g}x"
        cheaper = f"{one.cpu_per_row / ours.cpu_per_row:.3g}x"
    return (
        one.connector + (" (failed)" if one.failed else ""),
        f"{one.rows:,.0f}",
        f"{one.share:.0%}",
        f"{one.rate:,.0f}",
        f"{(one.spread[1] - one.spread[0]) / 2 / one.rate:.0%}" if one.rate else "",
        faster,
        f"{one.cpu_per_row:,.0f}",
        cheaper,
        f"{one.loader_per_row:,.0f}" if one.loader_per_row else "",
        f"{one.first:.1f}",
        f"{one.memory / 1e6:,.0f}",
        f"{one.requests:,.0f}",
        f"{one.refused:,.0f}",
        f"{one.in_flight:.0f}",
        "?" if one.missing is None else f"{one.missing:,}",
        f"{one.repeated:,}",
    )


def save(path: Path, about: Mapping[str, Any], readings: Iterable[Reading]) -> None:
    """Keep a measurement, and what the file has of scenarios that were not measured now.

    Args:
        path: The file.
        about: What was measured, where and when; `scenarios` tells it of each of them.
        readings: All readings.
    """
    readings = list(readings)
    if path.exists():
        known, kept = load(path)
        measured = {reading.scenario for reading in readings}
        readings = [one for one in kept if one.scenario not in measured] + readings
        kept_too = ("scenarios", "versions")
        about = {**about, **{part: known[part] | about[part] for part in kept_too}}
    data = {"about": about, "readings": [_rounded(asdict(reading)) for reading in readings]}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n")


def load(path: Path) -> tuple[dict[str, Any], list[Reading]]:
    """Read a measurement.

    Args:
        path: The file.

    Returns:
        What :func:`save` was given.
    """
    data = json.loads(path.read_text())
    return data["about"], [Reading(**reading) for reading in data["readings"]]


def _rounded(fields: dict[str, Any]) -> dict[str, Any]:
    return {
        name: round(value, 4) if isinstance(value, float) else value
        for name, value in fields.items()
    }
