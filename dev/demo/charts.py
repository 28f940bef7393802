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
    from collections.abc import Callable, Collection, Iterator, Sequence
    from datetime import date

WIDTH, HEIGHT = 360, 190
LOW = 96  # the height of a chart that has to share its place
LEFT, RIGHT, TOP, BOTTOM = 42, 6, 8, 24
_INNER_WIDTH = WIDTH - LEFT - RIGHT
_TICK_HEIGHT = 39  # of the room for one, at least
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
        key: What no other chart of the page is called.
        title: What it shows.
        days: The days from left to right.
        unit: What the values beside the axis are multiples of.
        bars: What stands on each other on a day.
        lines: What runs over the days.
        spell: Writes a value for people.
        spell_tick: Writes a round value, with so many decimals, beside the axis.
        top: The highest value that there can be, if there is one. The axis of such a chart begins
            where the values do: from 0, a rate that moves by some percent would look still.
        unfinished: Whether the last day is still going on.
        unpriced: The days whose values may still change.
        height: How high it is.
    """

    key: str
    title: str
    days: Sequence[date]
    spell: Callable[[float | None], str]
    spell_tick: Callable[[float, int], str]
    unit: float
    bars: Sequence[Series] = ()
    lines: Sequence[Series] = ()
    top: float | None = None
    unfinished: bool = False
    unpriced: Collection[date] = ()
    height: int = HEIGHT

    def draw(self) -> str:
        """Give the chart as a figure in HTML."""
        return "".join(
            [
                f'<figure class="chart"><figcaption>{escape(self.title)}{self._start()}',
                f"</figcaption>{self._legend()}",
                f'<div class="plot"><svg viewBox="0 0 {WIDTH} {self.height}" role="img"',
                f' aria-label="{escape(self._summary())}">',
                *self._grid(),
                *self._calendar(),
                *self._bars(),
                *self._lines(),
                "</svg>",
                *self._hints(),
                "</div></figure>",
            ]
        )

    @property
    def _inner_height(self) -> float:
        return self.height - TOP - BOTTOM

    @property
    def _step(self) -> float:
        return _INNER_WIDTH / len(self.days)

    def _x(self, place: int) -> float:
        return LEFT + (place + 0.5) * self._step

    def _y(self, value: float) -> float:
        low, high = self._ticks[0], self._ticks[-1]
        return TOP + (high - value) / (high - low) * self._inner_height

    @cached_property
    def _ticks(self) -> list[float]:
        sums = [
            sum(value or 0 for value in values)
            for values in zip(*(series.values for series in self.bars), strict=True)
        ]
        points = [value for series in self.lines for value in series.values if value is not None]
        count = max(2, int(self._inner_height / _TICK_HEIGHT))
        low = min(points, default=0) if self.top else 0
        return ticks(low, max([*sums, *points], default=0), self.unit, count, self.top)

    def _start(self) -> str:
        """Say where the axis begins, if that is not where people expect it."""
        if not self._ticks[0]:
            return ""
        return f" <small>axis from {escape(self._spell_tick(self._ticks[0]))}</small>"

    def _legend(self) -> str:
        entries = [(f"bar tone-{series.tone}", series.name) for series in self.bars]
        entries += [(f"line tone-{series.tone}", series.name) for series in self.lines]
        if self.bars and set(self.unpriced) & set(self.days):
            entries.append(("unpriced tone-1", "Prices not final"))
        if len(entries) == 1:
            return ""  # the title says it
        keys = "".join(f'<li><i class="{kind}"></i>{escape(name)}</li>' for kind, name in entries)
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

    def _spell_tick(self, tick: float) -> str:
        return self.spell_tick(tick, 0 if all(one.is_integer() for one in self._ticks) else 2)

    def _grid(self) -> Iterator[str]:
        for tick in self._ticks:
            y = self._y(tick)
            kind = "axis" if tick == self._ticks[0] else "grid"
            yield f'<path class="{kind}" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/>'
            yield (
                f'<text x="{LEFT - 6}" y="{y + 3.5:.1f}" text-anchor="end">'
                f"{escape(self._spell_tick(tick))}</text>"
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
                f'<text x="{x:.1f}" y="{self.height - 8}" text-anchor="middle">'
                f"{spell_day(day)}</text>"
            )

    def _bars(self) -> Iterator[str]:
        width = self._step * (1 - _GAP)
        for place, day in enumerate(self.days):
            floor = 0.0
            for series in self.bars:
                value = series.values[place]
                if not value or value < 0:  # a credit has no height
                    continue
                y, height = self._y(floor + value), self._y(floor) - self._y(floor + value)
                ongoing = self.unfinished and place == len(self.days) - 1
                kind = " pale" if ongoing else " unpriced" if day in self.unpriced else ""
                yield (
                    f'<rect class="bar tone-{series.tone}{kind}" data-value="{value:g}" '
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
        """Say a day's values, where the pointer or a finger is or, with arrow keys, the focus."""
        inner = f"{LEFT / WIDTH:.2%};right:{RIGHT / WIDTH:.2%}"
        yield (
            f'<div class="hints" role="radiogroup" aria-label="{escape(self.title)}, by day" '
            f'style="left:{inner};top:{TOP / self.height:.2%};bottom:{BOTTOM / self.height:.2%}">'
        )
        for place, day in enumerate(self.days):
            values = "\n".join(
                f"{series.name}: {self.spell(series.values[place])}"
                for series in (*self.bars, *self.lines)
            )
            last = place == len(self.days) - 1
            state = ", so far" if self.unfinished and last else ""
            if not state and day in self.unpriced:
                state = ", prices not final"
            side = "left" if place < len(self.days) / 2 else "right"
            yield (
                f'<label><input type="radio" name="{self.key}"/><span class="{side}">'
                f"{escape(f'{weekday(day)}{state}')}\n{escape(values)}</span></label>"
            )
        yield "</div>"


def ticks(
    low: float, high: float, unit: float, count: int = 4, limit: float | None = None
) -> list[float]:
    """Give round values from a given one or below it up to a given one or above.

    Args:
        low: Where they must begin.
        high: What they must reach.
        unit: What they must be multiples of.
        count: How many steps there may be, about.
        limit: What they must not pass.

    Returns:
        Two or more of them, evenly apart.
    """
    rough = max((high - low) / count, unit)
    power = 10.0 ** math.floor(math.log10(rough))
    steps = (digit * power for digit in (1, 2, 2.5, 5, 10))
    step = next(
        step
        for step in steps
        if step >= rough * _NEARLY and math.isclose(step / unit, round(step / unit))
    )
    last = max(1, math.ceil(high / step * _NEARLY))
    if limit is not None:
        last = min(last, math.floor(limit / step / _NEARLY))
    first = min(math.floor(low / step / _NEARLY), last - 1)
    return [step * place for place in range(first, last + 1)]
