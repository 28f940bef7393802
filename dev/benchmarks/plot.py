"""Draw what was measured, and write it into its pages: `python -m benchmarks.plot`.

Three SVGs, written by hand and readable on light and on dark pages alike: throughput against
latency, memory against rows, and how fast each way into a destination is. `python -m
benchmarks.plot RESULTS FOLDER PAGE DOORS` takes other files.
"""

from __future__ import annotations

import math
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from benchmarks.results import load, summarize
from benchmarks.scenarios import AIRBYTE, BARE, OTHERS, OURS, SINGER_IO
from benchmarks.server import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from benchmarks.results import Reading, Summary

RESULTS = Path(__file__).with_name("results") / "latest.json"
DOCS = ROOT / "docs"
PAGE = ROOT / "docs" / "speed.md"
DOORS = ROOT / "docs" / "doors.md"

_OTHERS = (BARE, SINGER_IO, AIRBYTE)
_INK, _GRID = "#7d8590", "#7d859040"
_COLOURS = {OURS: "#2f81f7", SINGER_IO: "#d29922", AIRBYTE: "#a371f7", BARE: _INK}
_WIDTH, _HEIGHT = 720, 380
_LEFT, _RIGHT, _TOP, _BOTTOM = 74, 150, 52, 56
_GAP = 16
"""Least distance between two labels at the ends of lines."""

_BAR, _NAMES, _VALUES = 22, 240, 60
"""Height of a bar's row, and room for names before bars and for figures behind them."""


@dataclass(frozen=True)
class Axis:
    """An axis, linear or logarithmic.

    Attributes:
        title: What it shows.
        low: Its lower end.
        high: Its upper end.
        ticks: Values to mark, each with its text.
        logarithmic: Whether equal factors take equal lengths.
    """

    title: str
    low: float
    high: float
    ticks: Sequence[tuple[float, str]]
    logarithmic: bool = False

    def place(self, value: float) -> float:
        """Give the place of a value, from 0 to 1."""
        if self.logarithmic:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)


@dataclass(frozen=True)
class Line:
    """One line of a chart.

    Attributes:
        name: What it stands for.
        points: Its points.
        tell: Writes a point's value.
    """

    name: str
    points: Sequence[tuple[float, float]]
    tell: Callable[[float], str]


def chart(title: str, across: Axis, up: Axis, lines: Sequence[Line]) -> str:
    """Draw a chart.

    Args:
        title: What it shows.
        across: The horizontal axis.
        up: The vertical axis.
        lines: The lines, each labelled at its right end.

    Returns:
        An SVG document.
    """
    wide, high = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM

    def x(value: float) -> float:
        return _LEFT + wide * across.place(value)

    def y(value: float) -> float:
        return _TOP + high * (1 - up.place(value))

    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img"'
            f' font-family="system-ui, sans-serif" font-size="12" fill="{_INK}">'
        ),
        f"<title>{escape(title)}</title>",
        _text(_LEFT, 24, title, size=15, weight=600),
        _text(_LEFT, _TOP - 12, up.title),
        _text(_LEFT + wide / 2, _HEIGHT - 12, across.title, anchor="middle"),
    ]
    for value, text in up.ticks:
        parts.append(
            f'<line x1="{_LEFT}" x2="{_LEFT + wide}" y1="{y(value):.1f}" y2="{y(value):.1f}"'
            f' stroke="{_GRID}"/>'
        )
        parts.append(_text(_LEFT - 8, y(value) + 4, text, anchor="end"))
    parts += [
        _text(x(value), _TOP + high + 20, text, anchor="middle") for value, text in across.ticks
    ]
    places = _apart([y(line.points[-1][1]) for line in lines])
    for line, place in zip(lines, places, strict=True):
        colour = _COLOURS.get(line.name, _INK)
        spots = [(x(a), y(b)) for a, b in line.points]
        path = " ".join(f"{a:.1f},{b:.1f}" for a, b in spots)
        parts.append(
            f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2.5"/>'
        )
        for (a, b), (_, value) in zip(spots, line.points, strict=True):
            parts.append(f'<circle cx="{a:.1f}" cy="{b:.1f}" r="4" fill="{colour}"/>')
            told = line.tell(value)
            parts.append(_text(a, b - 9, told, anchor="middle", size=11, colour=colour))
        parts.append(_text(spots[-1][0] + 22, place + 4, line.name, weight=600, colour=colour))
    return "\n".join([*parts, "</svg>", ""])


def throughput(readings: Sequence[Reading], latency: Mapping[str, float]) -> str:
    """Draw rows a second against latency.

    Args:
        readings: Readings of any scenarios; those whose names begin with `latency` are drawn.
        latency: Seconds that an answer takes, by scenario.

    Returns:
        An SVG document.
    """
    points: dict[str, list[tuple[float, float]]] = {}
    for scenario, summaries in summarize(readings).items():
        if scenario.startswith("latency"):
            for name, summary in summaries.items():
                points.setdefault(name, []).append((latency[scenario] * 1000, summary.rate))
    all_points = [point for own in points.values() for point in own]
    across = sorted({a for a, _ in all_points})
    floor = 10 ** math.floor(math.log10(min(rate for _, rate in all_points)))
    ceiling = 10 ** math.ceil(math.log10(max(rate for _, rate in all_points)))
    decades = range(round(math.log10(floor)), round(math.log10(ceiling)) + 1)
    return chart(
        "Calls and messages read from one account",
        Axis(
            "time that Twilio takes for an answer",
            0,
            across[-1] or 1,
            [(a, f"{a:.0f} ms") for a in across],
        ),
        Axis(
            "rows a second",
            floor,
            ceiling,
            [(10.0**power, f"{10**power:,}") for power in decades],
            logarithmic=True,
        ),
        [Line(name, sorted(own), lambda rate: f"{rate:,.0f}") for name, own in points.items()],
    )


def memory(readings: Sequence[Reading]) -> str:
    """Draw peak memory against rows.

    Args:
        readings: Readings of any scenarios; those whose names begin with `memory` are drawn.

    Returns:
        An SVG document.
    """
    points: dict[str, list[tuple[float, float]]] = {}
    for scenario, summaries in summarize(readings).items():
        if scenario.startswith("memory"):
            for name, summary in summaries.items():
                points.setdefault(name, []).append((summary.rows, summary.memory / 1e6))
    all_points = [point for own in points.values() for point in own]
    rows = sorted({a for a, _ in all_points})
    step = 50
    top = step * (math.floor(max(peak for _, peak in all_points) / step) + 1)
    return chart(
        "Peak memory of a whole run",
        Axis(
            "calls read",
            rows[0],
            max(rows[-1], rows[0] * 2),
            [(count, f"{count:,.0f}") for count in rows],
            logarithmic=True,
        ),
        Axis("MB", 0, top, [(mark, str(mark)) for mark in range(0, top + 1, step)]),
        [Line(name, sorted(own), lambda peak: f"{peak:.0f} MB") for name, own in points.items()],
    )


def bars(about: Mapping[str, Any], readings: Sequence[Reading]) -> str:
    """Draw how many rows a second each door makes.

    Args:
        about: What the readings' file tells beside them.
        readings: Readings of any scenarios; those whose names begin with `doors` are drawn.

    Returns:
        An SVG document.
    """
    groups = _of_doors(readings)
    most = max(one.rate for own in groups.values() for one in own)
    rows: list[str] = []
    y = 30.0
    for scenario, own in groups.items():
        rows.append(_text(0, y, about["scenarios"][scenario]["title"], size=13, weight=600))
        for one in own:
            y += _BAR
            length = max((_WIDTH - _NAMES - _VALUES) * one.rate / most, 1.0)
            colour = _COLOURS[SINGER_IO] if one.connector in OTHERS else _COLOURS[OURS]
            rows.append(_text(_NAMES - 8, y + 4, one.connector, anchor="end"))
            rows.append(
                f'<rect x="{_NAMES}" y="{y - 7:.1f}" width="{length:.1f}" height="15"'
                f' fill="{colour}"/>'
            )
            rows.append(_text(_NAMES + length + 6, y + 4, f"{one.rate:,.0f}", colour=colour))
        y += 2 * _BAR
    title = "Rows a second from Twilio into a destination"
    return "\n".join(
        [
            (
                f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {y - _BAR:.0f}"'
                f' role="img" font-family="system-ui, sans-serif" font-size="12" fill="{_INK}">'
            ),
            f"<title>{title}</title>",
            _text(0, 12, f"{title}; orange: without this tap"),
            *rows,
            "</svg>",
            "",
        ]
    )


def _of_doors(readings: Sequence[Reading]) -> dict[str, list[Summary]]:
    """Give the summaries of doors, the fastest of each destination first."""
    return {
        scenario: sorted(summaries.values(), key=lambda one: -one.rate)
        for scenario, summaries in summarize(readings).items()
        if scenario.startswith("doors")
    }


def draw(about: Mapping[str, Any], readings: Sequence[Reading]) -> dict[str, str]:
    """Draw all charts for which there are readings.

    Args:
        about: What the readings' file tells beside them.
        readings: The readings.

    Returns:
        SVG documents by the names of their files.
    """
    kinds = {reading.scenario.partition("-")[0] for reading in readings}
    charts = {}
    if "latency" in kinds:
        latency = {name: told["latency"] for name, told in about["scenarios"].items()}
        charts["throughput.svg"] = throughput(readings, latency)
    if "memory" in kinds:
        charts["memory.svg"] = memory(readings)
    if "doors" in kinds:
        charts["doors.svg"] = bars(about, readings)
    return charts


def figures(about: Mapping[str, Any], readings: Sequence[Reading]) -> str:
    """Write a table of the figures that matter most.

    Args:
        about: What the readings' file tells beside them.
        readings: The readings.

    Returns:
        Markdown: a line for each scenario, medians of rows a second for each connector.
    """
    names = [name for name in (OURS, *_OTHERS) if name in about["versions"]]
    heads = [*names, "µs CPU a row", "peak MB", "requests", "missing"]
    lines = [f"| rows a second | {' | '.join(heads)} |", f"|---|{'---:|' * len(heads)}"]
    for scenario, summaries in summarize(readings).items():
        ours = summaries.get(OURS)
        if ours is None:
            continue
        cells = [_rate(summaries.get(name), ours) for name in names]
        cells += [
            f"{ours.cpu_per_row:,.0f}",
            f"{ours.memory / 1e6:,.0f}",
            f"{ours.requests:,.0f}",
            "" if ours.missing is None else f"{ours.missing:,}",
        ]
        lines.append(f"| {about['scenarios'][scenario]['title']} | {' | '.join(cells)} |")
    versions = ", ".join(
        f"{name} {version}" for name, version in about["versions"].items() if name in _OTHERS
    )
    lines += ["", f"Medians; Python {about['python']}, {about['system']}; {versions}."]
    return "\n".join(lines)


def door_figures(about: Mapping[str, Any], readings: Sequence[Reading]) -> str:
    """Write a table of what each door takes.

    Args:
        about: What the readings' file tells beside them.
        readings: The readings.

    Returns:
        Markdown: a line for each door, medians.
    """
    heads = (
        "rows a second",
        "of rows",
        "start s",
        "then rows a second",
        "µs CPU a row",
        "loader's",
        "peak MB",
    )
    lines: list[str] = []
    versions: dict[str, None] = {}
    for scenario, own in _of_doors(readings).items():
        title = about["scenarios"][scenario]["title"]
        head = f"| {title} | {' | '.join(heads)} | missing | repeated |"
        lines += ["", head, f"|---|{'---:|' * (len(heads) + 2)}"]
        for one in own:
            cells = (
                f"{one.rate:,.0f}",
                f"{one.rows:,.0f}",
                f"{one.first:.1f}",
                f"{one.pace:,.0f}",
                f"{one.cpu_per_row + one.loader_per_row:,.0f}",
                f"{one.loader_per_row:,.0f}" if one.loader_per_row else "",
                f"{one.memory / 1e6:,.0f}",
                "?" if one.missing is None else f"{one.missing:,}",
                f"{one.repeated:,}",
            )
            lines.append(f"| {one.connector} | {' | '.join(cells)} |")
            versions[about["versions"][one.connector]] = None
    told = f"Medians; Python {about['python']}, {about['system']}; {', '.join(versions)}."
    return "\n".join([*lines[1:], "", told])


def written(text: str, table: str, name: str = "speed") -> str:
    """Put the table of figures in its place.

    Args:
        text: The page.
        table: The table.
        name: What the place is called.

    Returns:
        The page, up to date.
    """
    pattern = rf"(<!-- {name} -->\n).*?(\n<!-- end of {name} -->)"
    return re.sub(pattern, lambda found: found[1] + table + found[2], text, flags=re.DOTALL)


def main() -> None:
    """Draw into the documentation."""
    given = [Path(argument) for argument in sys.argv[1:]]
    results, folder, page, doors = [*given, *[RESULTS, DOCS, PAGE, DOORS][len(given) :]]
    about, readings = load(results)
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in draw(about, readings).items():
        (folder / name).write_text(content)
        sys.stdout.write(f"{folder / name}\n")
    page.write_text(written(page.read_text(), figures(about, readings)))
    if _of_doors(readings):
        table = door_figures(about, readings)
        doors.write_text(written(doors.read_text(), table, "doors"))


def _rate(one: Summary | None, ours: Summary) -> str:
    if one is None or not one.rate:
        return ""
    factor = ours.rate / one.rate
    digits = 1 if factor < 10 else 0  # noqa: PLR2004
    return f"{one.rate:,.0f}" + ("" if one is ours else f" ({factor:.{digits}f}x)")


def _apart(places: Sequence[float]) -> list[float]:
    """Move labels down until none covers another, in the order in which they stand."""
    moved: dict[int, float] = {}
    last = -math.inf
    for index in sorted(range(len(places)), key=lambda index: places[index]):
        last = max(places[index], last + _GAP)
        moved[index] = last
    return [moved[index] for index in range(len(places))]


def _text(  # noqa: PLR0913 - a text in a drawing has so many sides
    x: float,
    y: float,
    text: str,
    *,
    anchor: str = "start",
    size: int = 12,
    weight: int = 400,
    colour: str = _INK,
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}"'
        f' font-weight="{weight}" fill="{colour}">{escape(text)}</text>'
    )


if __name__ == "__main__":
    main()
