"""The report: one HTML file that needs no server, no network and no script."""

from __future__ import annotations

from enum import Enum
from functools import partial
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

from demo import spelling
from demo.charts import HEIGHT, LOW, Chart, Series

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from datetime import date, datetime

    from demo.figures import Figures, Row, View

# Whatever may stand in a friendly name: nothing is loaded, nothing runs.
POLICY = "default-src 'none'; style-src 'unsafe-inline'"
STYLE = Path(__file__).with_name("report.css")
ERRORS = "https://www.twilio.com/docs/api/errors/"
CENT = 0.01  # of money or of a whole


class Side(Enum):
    """Which way a figure should move; the other way is worse."""

    UP = 1
    DOWN = -1
    NEITHER = 0


class Figure(NamedTuple):
    """One of the big numbers.

    Attributes:
        column: Its column in the models.
        name: What it is called.
        spell: Writes it.
        change: Writes how it moved since as many days before.
        side: Where it should move.
        is_cost: Whether it is compared over those days only that have their prices.
    """

    column: str
    name: str
    spell: Callable[..., str]
    change: Callable[..., str | None] = spelling.change
    side: Side = Side.NEITHER
    is_cost: bool = False


class Column(NamedTuple):
    """A column of a table.

    Attributes:
        column: Its column in the query.
        name: Its head.
        spell: Writes a number; None for texts.
        link: Where to read more, the text itself put at its end.
        unpriced: What else a cell says while Twilio has not set all of its prices.
    """

    column: str
    name: str
    spell: Callable[..., str] | None = None
    link: str | None = None
    unpriced: Callable[[Row], bool] | None = None


class Page(NamedTuple):
    """A view, as a part of the page.

    Attributes:
        view: What it shows.
        currency: The unit of costs.
        key: What no other is called.
    """

    view: View
    currency: str
    key: str

    def chart(self, title: str, **chart: Any) -> str:
        """Draw a chart over the days."""
        days = [day["day"] for day in self.view.days]
        name = "-".join([self.key, *title.lower().replace(",", "").split()])
        return Chart(name, title, days, **chart).draw()

    def values(self, column: str) -> list[float | None]:
        """Give a figure of each day."""
        values = (day[column] for day in self.view.days)
        return [None if value is None else float(value) for value in values]

    def finished(self, column: str, without: Collection[date] = ()) -> list[float | None]:
        """Give it of whole days only: a line that falls at its end would only confuse."""
        return [
            None if day["day"] in without else value
            for day, value in zip(self.view.days[:-1], self.values(column), strict=False)
        ] + [None]

    def money(self, spell: Callable[..., str] = spelling.money) -> Callable[..., str]:
        """Give what writes money."""
        return partial(spell, currency=self.currency)


def page(figures: Figures, definitions: Mapping[str, str], *, subject: str, made: datetime) -> str:
    """Write the report.

    Args:
        figures: What it shows.
        definitions: What the figures are, by their column's name.
        subject: Whose figures these are.
        made: When they were read, in UTC.

    Returns:
        The whole page.
    """
    choices = _choices(figures)
    return "".join(
        [
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
            '<meta name="color-scheme" content="light dark">',
            "<title>Twilio at a glance</title>",
            f"<style>{STYLE.read_text(encoding='utf-8')}{_shown(figures, choices)}</style>",
            "</head><body><header><h1>Twilio at a glance</h1>",
            f"<p>{escape(subject)}, {made:%d %B %Y, %H:%M} UTC</p>",
            _filter(choices),
            "</header><main>",
            *(_view(Page(view, figures.currency, f"v{n}")) for n, view in enumerate(figures.views)),
            _definitions(definitions),
            "</main></body></html>\n",
        ]
    )


def _choices(figures: Figures) -> dict[str, list[str]]:
    """Give what one can choose among, by what it is; the first of each is chosen already."""
    accounts = dict.fromkeys(view.account or "" for view in figures.views)
    ranges = dict.fromkeys(view.length for view in figures.views)
    return {
        "Account": [account or "All accounts" for account in accounts],
        "Range": [f"{days} days" for days in ranges],
    }


def _filter(choices: Mapping[str, Sequence[str]]) -> str:
    groups = "".join(
        f'<fieldset class="{kind.lower()}"><legend>{kind}</legend>'
        + "".join(
            f'<label><input type="radio" name="{kind.lower()}" id="{kind.lower()}-{n}"'
            f"{'' if n else ' checked'}/><span>{escape(name)}</span></label>"
            for n, name in enumerate(names)
        )
        + "</fieldset>"
        for kind, names in choices.items()
        if len(names) > 1
    )
    return f'<form class="filter">{groups}</form>' if groups else ""


def _shown(figures: Figures, choices: Mapping[str, Sequence[str]]) -> str:
    """Have each view shown by what is checked: the page needs no script for it."""
    many = [kind.lower() for kind, names in choices.items() if len(names) > 1]
    ranges = len(choices["Range"])
    rules = []
    for n in range(len(figures.views)):
        place = dict(zip(("account", "range"), divmod(n, ranges), strict=True))
        checked = "".join(f":has(#{kind}-{place[kind]}:checked)" for kind in many)
        rules.append(f"body{checked} #v{n}{{display:block}}")
    # A browser from before 2024 shows the first.
    return (
        "".join(rules) + "@supports not selector(:has(a)){.filter{display:none}#v0{display:block}}"
    )


def _view(part: Page) -> str:
    view = part.view
    return "".join(
        [
            f'<div class="view" id="{part.key}" data-length="{view.length}"',
            f' data-account="{escape(view.account or "")}">',
            _note(view),
            _calls(part),
            _messages(part),
            _costs(part),
            _tables(part),
            _daily(part),
            "</div>",
        ]
    )


def _note(view: View) -> str:
    span = f"{spelling.day(view.now['first_day'])} to {spelling.day(view.now['last_day'])}"
    compared = ""
    if view.before["is_whole"]:
        compared = f", and how they differ from the {view.length} days before"
    unpriced = ""
    if view.unpriced:
        days = ", ".join(map(spelling.day, view.unpriced))
        unpriced = (
            f" Prices of {days} are not final, as Twilio may still add to them: their bars are "
            "dashed, and no change of a cost counts them."
        )
    return (
        f'<p class="note">Large figures are of the last {view.length} whole days, {span}{compared}.'
        f" Charts and tables have {spelling.day(view.last_day)} too: that day is not over, so its "
        f"bars are pale.{unpriced} Days are UTC.</p>"
    )


def _calls(part: Page) -> str:
    return _section(
        "Calls",
        _large(
            part.view,
            Figure("calls", "Calls", spelling.large),
            Figure("completion_rate", "Completed", spelling.share, spelling.points, Side.UP),
            Figure("average_call_seconds", "Average length", spelling.length),
            Figure("abandon_rate", "Abandoned", spelling.share, spelling.points, Side.DOWN),
        ),
        _traffic(part, "Calls per day", "inbound_calls", "outbound_calls"),
        '<div class="pair">'
        + _share(part, "Completed", "completion_rate", 1, LOW)
        + _share(part, "Abandoned, of inbound", "abandon_rate", 2, LOW)
        + "</div>",
    )


def _messages(part: Page) -> str:
    return _section(
        "Messages",
        _large(
            part.view,
            Figure("messages", "Messages", spelling.large),
            Figure("delivery_rate", "Delivered", spelling.share, spelling.points, Side.UP),
            Figure("segments", "Segments", spelling.large),
            Figure("failed_messages", "Failed", spelling.large, side=Side.DOWN),
        ),
        _traffic(part, "Messages per day", "inbound_messages", "outbound_messages"),
        _share(part, "Delivered, of outbound", "delivery_rate", 1),
    )


def _costs(part: Page) -> str:
    spell, tick = part.money(), part.money(spelling.brief)
    unpriced = part.view.unpriced
    cost = partial(
        Figure,
        spell=part.money(spelling.large_money),
        side=Side.DOWN,
        is_cost=True,
    )
    total = part.chart(
        "Cost per day",
        spell=spell,
        spell_tick=tick,
        bars=[Series("Total", part.values("total_cost"), 1)],
        unit=CENT,
        unfinished=True,
        unpriced=unpriced,
    )
    parts = part.chart(
        "Cost of calls and SMS",
        spell=spell,
        spell_tick=tick,
        lines=[
            Series("Calls", part.finished("calls_usage_cost", unpriced), 1),
            Series("SMS", part.finished("sms_usage_cost", unpriced), 2),
        ],
        unit=CENT,
        unpriced=unpriced,
    )
    return _section(
        "Cost",
        _large(
            part.view,
            cost("total_cost", "Total"),
            cost("calls_usage_cost", "Calls"),
            cost("sms_usage_cost", "SMS"),
            cost("numbers_usage_cost", "Phone numbers"),
        ),
        total,
        parts,
    )


def _tables(part: Page) -> str:
    view, money = part.view, part.money()
    tables = [
        _table(
            "Most frequent errors",
            view.errors,
            Column("error_code", "Code", link=ERRORS),
            Column("meaning", "Meaning"),
            Column("source", "Told by"),
            Column("occurrences", "Times", spelling.count),
        ),
        _table(
            "Busiest numbers, by calls and messages",
            view.numbers,
            Column("number", "Number"),
            Column("calls", "Calls", spelling.count),
            Column("messages", "Messages", spelling.count),
            Column("cost", "Cost", money),
        ),
    ]
    if not view.account:
        tables.append(
            _table(
                "Accounts, by cost",
                view.accounts,
                Column("account", "Account"),
                Column("calls", "Calls", spelling.count),
                Column("messages", "Messages", spelling.count),
                Column("total_cost", "Cost", money),
            )
        )
    return f'<section class="tables">{"".join(tables)}</section>'


def _daily(part: Page) -> str:
    money = part.money()
    columns = [
        Column("day", "Day", spelling.weekday),
        Column("calls", "Calls", spelling.count),
        Column("completion_rate", "Completed", spelling.share),
        Column("average_call_seconds", "Average", spelling.length),
        Column("abandon_rate", "Abandoned", spelling.share),
        Column("call_cost", "Call prices", money, unpriced=_has("unpriced_calls")),
        Column("messages", "Messages", spelling.count),
        Column("delivery_rate", "Delivered", spelling.share),
        Column("message_cost", "Message prices", money, unpriced=_has("unpriced_messages")),
        Column("total_cost", "Total cost", money, unpriced=lambda day: not day["is_priced"]),
    ]
    table = _table("", part.view.days[::-1], *columns)
    return f'<details class="days"><summary>Every day in numbers</summary>{table}</details>'


def _has(column: str) -> Callable[[Row], bool]:
    return lambda day: bool(day[column])


def _definitions(definitions: Mapping[str, str]) -> str:
    entries = "".join(
        f"<dt>{escape(name.replace('_', ' ').capitalize())}</dt><dd>{_prose(text)}</dd>"
        for name, text in definitions.items()
    )
    return (
        '<details id="definitions"><summary>How the figures are defined</summary>'
        f"<dl>{entries}</dl></details>"
    )


def _prose(text: str) -> str:
    """Turn the models' descriptions into HTML: what is between backticks is code."""
    parts = escape(text, quote=False).split("`")
    return "".join(
        f"<code>{part}</code>" if place % 2 else part for place, part in enumerate(parts)
    )


def _section(title: str, *parts: str) -> str:
    return f"<section><h2>{title}</h2>{''.join(parts)}</section>"


def _large(view: View, *entries: Figure) -> str:
    return f'<div class="large">{"".join(_card(entry, view) for entry in entries)}</div>'


def _card(figure: Figure, view: View) -> str:
    value = view.now[figure.column]
    return (
        f"<div><h3>{figure.name}</h3>{_data(figure.column, value, figure.spell(value))}"
        f"{_change(figure, view)}</div>"
    )


def _change(figure: Figure, view: View) -> str:
    """Say how a figure moved, and whether that is good."""
    pair = (view.now[figure.column], view.before[figure.column])
    if pair[0] is None:
        return ""
    priced = ""
    if figure.is_cost:
        pair = view.priced(figure.column) or (None, None)
        if view.unpriced:
            priced = f" on {view.length - len(view.unpriced)} priced days"
    change = figure.change(*pair) if view.before["is_whole"] else None
    if change is None:
        return "<small>Prices not final</small>" if priced else ""
    rise = 0 if change.startswith(spelling.EVEN) else 1 if pair[0] > pair[1] else -1
    arrow = {1: "▲ ", -1: "▼ ", 0: ""}[rise]
    verdict = {1: "better", -1: "worse", 0: ""}[rise * figure.side.value]
    told = f"{arrow}{change}{', ' if verdict else ''}{verdict}"
    return f'<small class="{verdict or "even"}">{told}{priced}</small>'


def _data(column: str, value: object, spelled: str) -> str:
    """Write a number so that people read it rounded, and machines as it is."""
    exact = "" if value is None else f' value="{escape(str(value))}"'
    return f'<data data-column="{column}"{exact}>{escape(spelled)}</data>'


def _traffic(part: Page, title: str, inbound: str, outbound: str) -> str:
    return part.chart(
        title,
        spell=spelling.count,
        spell_tick=spelling.brief,
        bars=[
            Series("Inbound", part.values(inbound), 1),
            Series("Outbound", part.values(outbound), 2),
        ],
        unit=1,
        unfinished=True,
    )


def _share(part: Page, title: str, column: str, tone: int, height: int = HEIGHT) -> str:
    return part.chart(
        title,
        spell=spelling.share,
        spell_tick=lambda value, _: spelling.share(value, digits=0),
        lines=[Series(title, part.finished(column), tone)],
        unit=CENT,
        top=1,
        height=height,
    )


def _table(title: str, rows: Sequence[Row], *columns: Column) -> str:
    head = "".join(
        f'<th scope="col"{_align(column)}>{escape(column.name)}</th>' for column in columns
    )
    body = "".join(f"<tr>{''.join(_cell(row, column) for column in columns)}</tr>" for row in rows)
    nothing = f'<tr><td colspan="{len(columns)}" class="nothing">None</td></tr>'
    caption = f"<h2>{title}</h2>" if title else ""
    return (
        f'<div class="table">{caption}<div class="scroll"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{body or nothing}</tbody></table></div></div>"
    )


def _cell(row: Row, column: Column) -> str:
    value = row[column.column]
    if column.spell is None:
        text = escape(str(value or spelling.NOTHING))
        if column.link and value:
            text = f'<a href="{column.link}{quote(str(value))}" rel="noreferrer">{text}</a>'
        return f"<td>{text}</td>"
    data = _data(column.column, value, column.spell(value))
    if column.unpriced and column.unpriced(row):
        data += ' <small class="unpriced">not final</small>'
    return f"<td{_align(column)}>{data}</td>"


def _align(column: Column) -> str:
    return ' class="number"' if column.spell and column.column != "day" else ""
