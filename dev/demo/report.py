"""The report: one HTML file that needs no server, no network and no script."""

from __future__ import annotations

from functools import partial
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from demo import spelling
from demo.charts import Chart, Series

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date, datetime

    from demo.figures import Figures, Row

# Whatever may stand in a friendly name: nothing is loaded, nothing runs.
POLICY = "default-src 'none'; style-src 'unsafe-inline'"
STYLE = Path(__file__).with_name("report.css")
ERRORS = "https://www.twilio.com/docs/api/errors/"
CENT = 0.01  # of money or of a whole
WEEK, WEEK_BEFORE = "last 7 days", "7 days before"


class Figure(NamedTuple):
    """One of the big numbers.

    Attributes:
        column: Its column in the models.
        name: What it is called.
        spell: Writes it.
        change: Writes how it moved since the week before.
    """

    column: str
    name: str
    spell: Callable[..., str]
    change: Callable[..., str | None] = spelling.change


class Column(NamedTuple):
    """A column of a table.

    Attributes:
        column: Its column in the query.
        name: Its head.
        spell: Writes a number; None for texts.
        link: Where to read more, the text itself put at its end.
    """

    column: str
    name: str
    spell: Callable[..., str] | None = None
    link: str | None = None


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
    return "".join(
        [
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
            '<meta name="color-scheme" content="light dark">',
            f"<title>Twilio at a glance</title><style>{STYLE.read_text(encoding='utf-8')}</style>",
            "</head><body>",
            _header(figures, subject, made),
            "<main>",
            _calls(figures),
            _messages(figures),
            _costs(figures),
            _tables(figures),
            _daily(figures),
            _definitions(definitions),
            "</main></body></html>\n",
        ]
    )


def _header(figures: Figures, subject: str, made: datetime) -> str:
    week = figures.periods[WEEK]
    before = figures.periods[WEEK_BEFORE]
    span = f"{spelling.day(week['first_day'])} to {spelling.day(week['last_day'])}"
    compared = ", and how they differ from the 7 days before" if before["is_whole"] else ""
    return (
        f"<header><h1>Twilio at a glance</h1><p>{escape(subject)}, "
        f"{made:%d %B %Y, %H:%M} UTC</p>"
        f'<p class="note">Large figures are of the last 7 whole days, {span}{compared}. Charts '
        f"and tables are of all days since {spelling.day(figures.first_day)}; the bars of "
        f"{spelling.day(figures.last_day)} are pale, as that day is not over. Days are UTC.</p>"
        "</header>"
    )


def _calls(figures: Figures) -> str:
    return _section(
        "Calls",
        _large(
            figures,
            Figure("calls", "Calls", spelling.large),
            Figure("completion_rate", "Completed", spelling.share, spelling.points),
            Figure("average_call_seconds", "Average length", spelling.length),
            Figure("abandon_rate", "Abandoned", spelling.share, spelling.points),
        ),
        _traffic(figures, "Calls per day", "inbound_calls", "outbound_calls"),
        _shares(
            figures,
            "Completed and abandoned",
            ("Completed", "completion_rate"),
            ("Abandoned, of inbound", "abandon_rate"),
        ),
    )


def _messages(figures: Figures) -> str:
    return _section(
        "Messages",
        _large(
            figures,
            Figure("messages", "Messages", spelling.large),
            Figure("delivery_rate", "Delivered", spelling.share, spelling.points),
            Figure("segments", "Segments", spelling.large),
            Figure("failed_messages", "Failed", spelling.large),
        ),
        _traffic(figures, "Messages per day", "inbound_messages", "outbound_messages"),
        _shares(figures, "Delivered", ("Delivered, of outbound", "delivery_rate")),
    )


def _costs(figures: Figures) -> str:
    money, large, tick = (
        partial(spell, currency=figures.currency)
        for spell in (spelling.money, spelling.large_money, spelling.brief)
    )
    total = Chart(
        "Cost per day",
        _days(figures),
        spell=money,
        spell_tick=tick,
        bars=[Series("Total", _values(figures, "total_cost"), 1)],
        unit=CENT,
        unfinished=True,
    )
    parts = Chart(
        "Cost of calls and SMS",
        _days(figures),
        spell=money,
        spell_tick=tick,
        lines=[
            Series("Calls", _finished(figures, "calls_usage_cost"), 1),
            Series("SMS", _finished(figures, "sms_usage_cost"), 2),
        ],
        unit=CENT,
    )
    return _section(
        "Cost",
        _large(
            figures,
            Figure("total_cost", "Total", large),
            Figure("calls_usage_cost", "Calls", large),
            Figure("sms_usage_cost", "SMS", large),
            Figure("numbers_usage_cost", "Phone numbers", large),
        ),
        total.draw(),
        parts.draw(),
    )


def _tables(figures: Figures) -> str:
    money = _money(figures)
    return (
        '<section class="tables">'
        + _table(
            "Errors by code",
            figures.errors,
            Column("error_code", "Code", link=ERRORS),
            Column("source", "Told by"),
            Column("occurrences", "Times", spelling.count),
        )
        + _table(
            "Busiest numbers",
            figures.numbers,
            Column("number", "Number"),
            Column("calls", "Calls", spelling.count),
            Column("messages", "Messages", spelling.count),
            Column("cost", "Cost", money),
        )
        + _table(
            "Accounts",
            figures.accounts,
            Column("account", "Account"),
            Column("calls", "Calls", spelling.count),
            Column("messages", "Messages", spelling.count),
            Column("total_cost", "Cost", money),
        )
        + "</section>"
    )


def _daily(figures: Figures) -> str:
    columns = [
        Column("day", "Day", spelling.weekday),
        Column("calls", "Calls", spelling.count),
        Column("completion_rate", "Completed", spelling.share),
        Column("average_call_seconds", "Average", spelling.length),
        Column("abandon_rate", "Abandoned", spelling.share),
        Column("call_cost", "Call prices", _money(figures)),
        Column("messages", "Messages", spelling.count),
        Column("delivery_rate", "Delivered", spelling.share),
        Column("message_cost", "Message prices", _money(figures)),
        Column("total_cost", "Total cost", _money(figures)),
    ]
    table = _table("", figures.days[::-1], *columns)
    return f'<details id="days"><summary>Every day in numbers</summary>{table}</details>'


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


def _large(figures: Figures, *entries: Figure) -> str:
    week, before = figures.periods[WEEK], figures.periods[WEEK_BEFORE]
    cards = "".join(_card(entry, week, before) for entry in entries)
    return f'<div class="large">{cards}</div>'


def _card(figure: Figure, week: Row, before: Row) -> str:
    value = week[figure.column]
    change = figure.change(value, before[figure.column]) if before["is_whole"] else None
    compared = f"<small>{change}</small>" if change else ""
    return (
        f"<div><h3>{figure.name}</h3>{_data(figure.column, value, figure.spell(value))}"
        f"{compared}</div>"
    )


def _data(column: str, value: object, spelled: str) -> str:
    """Write a number so that people read it rounded, and machines as it is."""
    exact = "" if value is None else f' value="{escape(str(value))}"'
    return f'<data data-column="{column}"{exact}>{escape(spelled)}</data>'


def _traffic(figures: Figures, title: str, inbound: str, outbound: str) -> str:
    chart = Chart(
        title,
        _days(figures),
        spell=spelling.count,
        spell_tick=spelling.brief,
        bars=[
            Series("Inbound", _values(figures, inbound), 1),
            Series("Outbound", _values(figures, outbound), 2),
        ],
        unit=1,
        unfinished=True,
    )
    return chart.draw()


def _shares(figures: Figures, title: str, *series: tuple[str, str]) -> str:
    chart = Chart(
        title,
        _days(figures),
        spell=spelling.share,
        spell_tick=lambda value, _: spelling.share(value, digits=0),
        lines=[
            Series(name, _finished(figures, column), tone)
            for tone, (name, column) in enumerate(series, start=1)
        ],
        unit=CENT,
        top=1,
    )
    return chart.draw()


def _days(figures: Figures) -> list[date]:
    return [day["day"] for day in figures.days]


def _values(figures: Figures, column: str) -> list[float | None]:
    values = (day[column] for day in figures.days)
    return [None if value is None else float(value) for value in values]


def _finished(figures: Figures, column: str) -> list[float | None]:
    """Leave out the day that is going on: a line that falls at its end would only confuse."""
    return [*_values(figures, column)[:-1], None]


def _money(figures: Figures) -> Callable[..., str]:
    return partial(spelling.money, currency=figures.currency)


def _table(title: str, rows: Sequence[Row], *columns: Column) -> str:
    head = "".join(
        f'<th scope="col"{_align(column)}>{escape(column.name)}</th>' for column in columns
    )
    body = "".join(
        f"<tr>{''.join(_cell(row[column.column], column) for column in columns)}</tr>"
        for row in rows
    )
    nothing = f'<tr><td colspan="{len(columns)}" class="nothing">None</td></tr>'
    caption = f"<h2>{title}</h2>" if title else ""
    return (
        f'<div class="table">{caption}<div class="scroll"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{body or nothing}</tbody></table></div></div>"
    )


def _cell(value: object, column: Column) -> str:
    if column.spell is None:
        text = escape(str(value or spelling.NOTHING))
        if column.link and value:
            text = f'<a href="{column.link}{quote(str(value))}" rel="noreferrer">{text}</a>'
        return f"<td>{text}</td>"
    return f"<td{_align(column)}>{_data(column.column, value, column.spell(value))}</td>"


def _align(column: Column) -> str:
    return ' class="number"' if column.spell and column.column != "day" else ""
