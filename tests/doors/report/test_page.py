"""The report's page says what the figures are, what they mean, and what is not known yet."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from demo.charts import ticks
from demo.report import page
from tests.doors.report.made import figures, with_tables


def write(found):
    return page(found, {}, subject="Test", made=datetime(2026, 1, 31, 8, tzinfo=UTC))


def view(text, name="v0"):
    """Give the part of the page that is about all accounts and a week, or another."""
    (part,) = re.findall(rf'<div class="view" id="{name}".*?</details>', text, re.DOTALL)
    return part


def card(text, name):
    """Give what is said below a large number."""
    return re.search(rf"<h3>{name}</h3><data[^>]*>[^<]*</data>(.*?)</div>", view(text))[1]


def moved(**columns):
    """Give figures of which some moved from a value to another."""
    found = figures(16)
    now = {column: after for column, (_, after) in columns.items()}
    before = {column: value for column, (value, _) in columns.items()}
    return found._replace(
        views=[one._replace(now=one.now | now, before=one.before | before) for one in found.views]
    )


@pytest.mark.parametrize(
    ("column", "name", "pair", "says"),
    [
        ("completion_rate", "Completed", (0.8, 0.9), 'better">▲ +10.0\xa0pp, better'),
        ("completion_rate", "Completed", (0.8, 0.75), 'worse">▼ \N{MINUS SIGN}5.0\xa0pp, worse'),
        ("abandon_rate", "Abandoned", (0.1, 0.2), 'worse">▲ +10.0\xa0pp, worse'),
        ("failed_messages", "Failed", (10, 5), 'better">▼ \N{MINUS SIGN}50\xa0%, better'),
        ("calls", "Calls", (10, 20), 'even">▲ +100\xa0%'),
        ("delivery_rate", "Delivered", (0.9, 0.90001), 'even">±0.0\xa0pp'),
    ],
)
def test_a_change_says_where_to_and_whether_that_is_good(column, name, pair, says):
    text = write(moved(**{column: pair}))

    assert card(text, name) == f'<small class="{says}</small>'


def test_days_without_prices_are_marked_and_not_compared():
    # The 3 days before the newest cost nothing yet, and the days before cost 10 each.
    days = {n: {"total_cost": 0.5} for n in range(4)} | {n: {"total_cost": 12} for n in range(4, 8)}

    text = view(write(figures(16, days, total_cost=10)))

    assert card(write(figures(16, days, total_cost=10)), "Total") == (
        '<small class="worse">▲ +20\xa0%, worse on 4 priced days</small>'
    )
    assert text.count('class="bar tone-1 unpriced"') == 3
    assert text.count('class="bar tone-1 pale"') == 1
    assert "Prices of 28\xa0Jan, 29\xa0Jan, 30\xa0Jan are not final" in text
    assert "Wed\xa028\xa0Jan, prices not final\nTotal: $0.50" in text
    assert text.count(">not final</small>") == 4


def test_cost_does_not_change_where_no_day_has_its_prices():
    days = {n: {"is_priced": False} for n in range(8)}

    text = write(figures(16, days, total_cost=10))

    assert card(text, "Total") == "<small>Prices not final</small>"
    assert not card(text, "SMS")  # nobody loaded these


def test_single_prices_that_are_missing_are_marked():
    days = {5: {"unpriced_messages": 1}, 6: {"unpriced_calls": 2}}

    rows = re.findall("<tr>.*?</tr>", view(write(figures(9, days))))

    marked = {row: row.count("not final") for row in rows if "not final" in row}
    assert [count for row, count in marked.items() if "26\xa0Jan" in row] == [1]
    assert [count for row, count in marked.items() if "25\xa0Jan" in row] == [1]


def test_the_axis_of_a_rate_begins_where_the_rate_moves_and_says_so():
    days = {n: {"delivery_rate": 0.9 + n / 200} for n in range(9)}

    text = view(write(figures(9, days)))

    assert "Delivered, of outbound <small>axis from 90\xa0%</small>" in text
    assert "Calls per day</figcaption>" in text
    ys = [float(y) for y in re.findall(r"[ML][\d.]+ ([\d.]+)", _line(text, "Delivered, of"))]
    assert max(ys) - min(ys) > 90  # of 158


def _line(text, title):
    return re.search(rf'{title}.*?class="line[^"]*" d="([^"]*)"', text, re.DOTALL)[1]


@pytest.mark.parametrize(
    ("low", "high", "limit", "expected"),
    [
        (0, 0, None, [0, 1]),
        (0, 7, None, [0, 2, 4, 6, 8]),
        (0.955, 0.962, 1, [0.95, 0.96, 0.97]),
        (1, 1, 1, [0.99, 1]),
        (0.2, 1, 1, [0.2, 0.4, 0.6, 0.8, 1]),
        (0, 0, 1, [0, 0.01]),
    ],
)
def test_ticks_are_round_and_hold_all_values(low, high, limit, expected):
    unit = 1 if limit is None else 0.01

    assert ticks(low, high, unit, limit=limit) == pytest.approx(expected)


def test_each_day_can_be_reached_without_a_pointer():
    text = write(figures(31))

    groups = re.findall(r'role="radiogroup".*?</div>', text, re.DOTALL)
    names = [set(re.findall(r'type="radio" name="([^"]+)"', group)) for group in groups]
    assert len(groups) == 2 * 7
    assert [len(found) for found in names] == [1] * len(groups)
    assert len(set.union(*names)) == len(groups)  # the arrow keys stay in one chart
    assert {group.count("<label>") for group in groups} == {8, 31}


def test_views_can_be_chosen_by_account_and_range():
    found = figures(31)
    other = [one._replace(account="Other") for one in found.views]

    text = write(found._replace(views=found.views + other))

    rule = "body:has(#account-1:checked):has(#range-0:checked) #v2{display:block}"
    assert rule in text
    assert 'id="account-1"/><span>Other</span>' in text
    assert 'id="range-0" checked/><span>7 days</span>' in text
    assert 'id="v2" data-length="7" data-account="Other"' in text


def test_nothing_can_be_chosen_where_there_is_one_view():
    text = write(figures(3))

    assert 'class="filter"' not in text
    assert "body #v0{display:block}" in text


def test_errors_have_their_meaning_and_tables_their_order():
    error = {"error_code": "30005", "meaning": "No such number", "source": "messages"}

    text = write(with_tables(figures(3), errors=[error | {"occurrences": 3}]))

    assert "<td>No such number</td>" in text
    for title in ("Most frequent errors", "Busiest numbers, by calls and messages"):
        assert f"<h2>{title}</h2>" in text
