"""Small charts over days, as SVG that takes its colours and letters from the page around it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, NamedTuple

from demo.spelling import day as spell_day
from demo.spelling import weekday

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import date

WIDTH, HEIGHT = 360, 190
LEFT, RIGHT, TOP, BOTTOM = 42, 6, 8, 24
_INNER_WIDTH = WIDTH - LEFT - RIGHT
_INNER_HEIGHT = HEIGHT - TOP - BOTTOM
_BASE = TOP + _INNER_HEIGHT
_TICKS = 4
_LABELS = 5
_FEW = 3
_NEARLY = 0.999
_GAP = 0.28  # between bars, of the room for one


class Series(NamedTuple):
    """One thing that is drawn.

    Attributes:
        name: What it is called.
        values: A value for each day; None where there is none.
        tone: Which of the page's colours it has, from 1.
    """

    name: str
    values: Sequence[float | None]
    tone: int


@dataclass(frozen=True)
class Chart:
    """A chart before it is drawn.

    Attributes:
        title: What it shows.
        days: The days from left to right.
        unit: What the values beside the axis are multiples of.
        bars: What stands on each other on a day.
        lines: What runs over the days.
        spell: Writes a value for people.
        spell_tick: Writes a round value, with so many decimals, beside the axis.
        top: The highest value that there can be, if there is one.
        unfinished: Whether the last day is still going on.
    """

    title: str
    days: Sequence[date]
    spell: Callable[[float | None], str]
    spell_tick: Callable[[float, int], str]
    unit: float
    bars: Sequence[Series] = ()
    lines: Sequence[Series] = ()
    top: float | None = None
    unfinished: bool = False

    def draw(self) -> str:
        """Give the chart as a figure in HTML."""
        return "".join(
            [
                f'<figure class="chart"><figcaption>{escape(self.title)}</figcaption>',
                self._legend(),
                f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img"',
                f' aria-label="{escape(self._summary())}">',
                *self._grid(),
                *self._calendar(),
                *self._bars(),
                *self._lines(),
                *self._hints(),
                "</svg></figure>",
            ]
        )

    @property
    def _step(self) -> float:
        return _INNER_WIDTH / len(self.days)

    def _x(self, place: int) -> float:
        return LEFT + (place + 0.5) * self._step

    def _y(self, value: float) -> float:
        return _BASE - value / self._ticks[-1] * _INNER_HEIGHT

    @cached_property
    def _ticks(self) -> list[float]:
        sums = [
            sum(value or 0 for value in values)
            for values in zip(*(series.values for series in self.bars), strict=True)
        ]
        peaks = [value for series in self.lines for value in series.values if value is not None]
        return ticks(self.top or max([*sums, *peaks], default=0), self.unit)

    def _legend(self) -> str:
        entries = [("bar", series) for series in self.bars]
        entries += [("line", series) for series in self.lines]
        keys = "".join(
            f'<li><i class="{kind} tone-{series.tone}"></i>{escape(series.name)}</li>'
            for kind, series in entries
        )
        return f'<ul class="legend">{keys}</ul>'

    def _summary(self) -> str:
        spans = []
        for series in (*self.bars, *self.lines):
            values = [value for value in series.values if value is not None]
            if values:
                low, high = self.spell(min(values)), self.spell(max(values))
                spans.append(f"{series.name} between {low} and {high}")
        span = f"{spell_day(self.days[0])} to {spell_day(self.days[-1])}"
        return f"{self.title}, {span}: {'; '.join(spans) or 'nothing'}"

    def _grid(self) -> Iterator[str]:
        decimals = 0 if all(tick.is_integer() for tick in self._ticks) else 2
        for tick in self._ticks:
            y = self._y(tick)
            kind = "axis" if tick == 0 else "grid"
            yield f'<path class="{kind}" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/>'
            yield (
                f'<text x="{LEFT - 6}" y="{y + 3.5:.1f}" text-anchor="end">'
                f"{escape(self.spell_tick(tick, decimals))}</text>"
            )

    def _calendar(self) -> Iterator[str]:
        """Name Mondays, or as many of a few days as there is room for."""
        apart = math.ceil(len(self.days) / _LABELS)
        for place, day in enumerate(self.days):
            if day.weekday() if apart > _FEW else place % apart:
                continue
            # None is cut off by an edge.
            x = min(max(self._x(place), LEFT + 18), WIDTH - RIGHT - 18)
            yield (
                f'<text x="{x:.1f}" y="{HEIGHT - 8}" text-anchor="middle">{spell_day(day)}</text>'
            )

    def _bars(self) -> Iterator[str]:
        width = self._step * (1 - _GAP)
        for place in range(len(self.days)):
            floor = 0.0
            for series in self.bars:
                value = series.values[place]
                if not value or value < 0:  # a credit has no height
                    continue
                y, height = self._y(floor + value), self._y(floor) - self._y(floor + value)
                pale = " pale" if self.unfinished and place == len(self.days) - 1 else ""
                yield (
                    f'<rect class="bar tone-{series.tone}{pale}" data-value="{value:g}" '
                    f'x="{self._x(place) - width / 2:.2f}" y="{y:.2f}" width="{width:.2f}" '
                    f'height="{height:.2f}"/>'
                )
                floor += value

    def _lines(self) -> Iterator[str]:
        for series in self.lines:
            path, pen = [], "M"
            for place, value in enumerate(series.values):
                if value is None:
                    pen = "M"
                    continue
                path.append(f"{pen}{self._x(place):.1f} {self._y(value):.1f}")
                # A day between two without a value is a line of no length, seen as a dot.
                path.append("h0" if pen == "M" else "")
                pen = "L"
            if path:
                yield f'<path class="line tone-{series.tone}" d="{"".join(path)}"/>'

    def _hints(self) -> Iterator[str]:
        """Say a day's values where the pointer rests."""
        for place, day in enumerate(self.days):
            values = "\n".join(
                f"{series.name}: {self.spell(series.values[place])}"
                for series in (*self.bars, *self.lines)
            )
            ongoing = ", so far" if self.unfinished and place == len(self.days) - 1 else ""
            yield (
                f'<rect class="hint" x="{LEFT + place * self._step:.2f}" y="{TOP}" '
                f'width="{self._step:.2f}" height="{_INNER_HEIGHT}">'
                f"<title>{escape(f'{weekday(day)}{ongoing}')}\n{escape(values)}</title></rect>"
            )


def ticks(top: float, unit: float) -> list[float]:
    """Give round values from 0 up to at least a given one.

    Args:
        top: What they must reach.
        unit: What they must be multiples of.

    Returns:
        Two to six of them, evenly apart.
    """
    rough = max(top / _TICKS, unit)
    power = 10.0 ** math.floor(math.log10(rough))
    steps = (digit * power for digit in (1, 2, 2.5, 5, 10))
    step = next(
        step
        for step in steps
        if step >= rough * _NEARLY and math.isclose(step / unit, round(step / unit))
    )
    return [step * place for place in range(max(1, math.ceil(top / step * _NEARLY)) + 1)]
