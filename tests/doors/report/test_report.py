"""The demo's report: its numbers are those of the rows, and it is good to look at."""

from __future__ import annotations

import re
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from html.parser import HTMLParser

import duckdb
import pytest

from demo.__main__ import main
from demo.report import page
from demo.sources import CREDENTIALS
from tests.doors.report.made import figures, with_tables

pytestmark = pytest.mark.door

# Asked of the loaded rows, past all models.
WEEK = """
with bounds as (
    select max(start_date) - 7 as first_day, max(start_date) as end_day
    from twilio.usage_records_daily
),
calls as (
    select * from twilio.calls, bounds
    where coalesce(start_time, date_created) at time zone 'UTC' >= first_day
        and coalesce(start_time, date_created) at time zone 'UTC' < end_day
),
messages as (
    select * from twilio.messages, bounds
    where coalesce(date_sent, date_created) at time zone 'UTC' >= first_day
        and coalesce(date_sent, date_created) at time zone 'UTC' < end_day
),
usage as (
    select * from twilio.usage_records_daily, bounds
    where start_date >= first_day and start_date < end_day
)
select
    (select count(*) from calls) as calls,
    (select avg((status = 'completed')::int) from calls) as completion_rate,
    (select avg(duration) from calls where status = 'completed') as average_call_seconds,
    (select avg((status in ('no-answer', 'canceled'))::int) from calls where direction = 'inbound')
        as abandon_rate,
    (select count(*) from messages) as messages,
    (select sum(num_segments) from messages) as segments,
    (select avg((status in ('delivered', 'read'))::int) from messages
        where direction <> 'inbound' and status not in ('queued', 'scheduled', 'sending'))
        as delivery_rate,
    (select count(*) from messages where status in ('failed', 'undelivered')) as failed_messages,
    (select sum(price) from usage where category = 'totalprice') as total_cost,
    (select sum(price) from usage where category = 'calls') as calls_usage_cost,
    (select sum(price) from usage where category = 'sms') as sms_usage_cost,
    (select sum(price) from usage where category = 'phonenumbers') as numbers_usage_cost
"""
DAY = """
select
    (select count(*) from twilio.calls
        where (coalesce(start_time, date_created) at time zone 'UTC')::date = $day) as calls,
    (select count(*) from twilio.messages
        where (coalesce(date_sent, date_created) at time zone 'UTC')::date = $day) as messages,
    (select sum(price) from twilio.usage_records_daily
        where category = 'totalprice' and start_date = $day) as total_cost
"""


class Reader(HTMLParser):
    """Reads the numbers of a report's views, and checks that its elements are closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.views: dict[tuple[str, int], tuple[dict, list[dict]]] = {}
        self._open: list[str] = []
        self._in_days = False
        self.feed(text)
        self.close()
        assert not self._open

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        if tag != "meta":
            self._open.append(tag)
        if attributes.get("class") == "view":
            self._large, self._days = {}, []
            key = (attributes["data-account"], int(attributes["data-length"]))
            self.views[key] = (self._large, self._days)
        self._in_days |= attributes.get("class") == "days"
        if tag == "tr" and self._in_days:
            self._days.append({})
        if tag == "data":
            place = self._days[-1] if self._in_days else self._large
            place.setdefault(attributes["data-column"], attributes.get("value"))

    def handle_startendtag(self, tag, attrs):
        """Is closed by itself."""

    def handle_endtag(self, tag):
        assert self._open.pop() == tag
        if tag == "details":
            self._in_days = False


@dataclass
class Demo:
    """A demo that was run."""

    folder: object
    said: str
    report: str = field(init=False)

    def __post_init__(self) -> None:
        self.report = (self.folder / "report.html").read_text()

    def ask(self, query, **parameters):
        path = str(self.folder / "warehouse.duckdb")
        with closing(duckdb.connect(path, read_only=True)) as database:
            result = database.execute(query, parameters)
            names = [column[0] for column in result.description]
            (row,) = result.fetchall()
        return dict(zip(names, row, strict=True))


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The whole demo, over a simulated Twilio."""
    folder = tmp_path_factory.mktemp("demo") / "output"
    said: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        for name in CREDENTIALS:
            patch.delenv(f"TAP_TWILIO_{name}", raising=False)
        patch.setattr("demo.__main__._say", said.append)
        assert main(folder) == 0
    return Demo(folder, "\n".join(said))


def test_the_demo_says_what_it_checked(demo):
    assert demo.said.count("Checked: ") == 5
    assert re.search(r"dbt built 20 models .* and \d+ tests passed", demo.said)
    assert "Checked: Twilio has those 18 messages, each once" in demo.said
    assert "report.html in a browser" in demo.said


def test_large_numbers_are_those_of_the_rows(demo):
    large, _ = Reader(demo.report).views["", 7]

    for column, value in demo.ask(WEEK).items():
        assert float(large[column]) == pytest.approx(float(value)), column


def test_each_day_is_that_of_the_rows(demo):
    _, rows = Reader(demo.report).views["", 30]
    days = [row for row in rows if row]

    assert len(days) == 31
    for row in days:
        for column, value in demo.ask(DAY, day=date.fromisoformat(row["day"])).items():
            assert float(row[column]) == pytest.approx(float(value)), (row["day"], column)


def test_views_of_the_accounts_add_up_to_that_of_all(demo):
    views = Reader(demo.report).views

    names = {account for account, _ in views}
    assert len(names) == 1 + 3
    assert views.keys() == {(name, length) for name in names for length in (7, 30)}
    for length in (7, 30):
        for column in ("calls", "messages", "failed_messages", "total_cost"):
            whole, *parts = (float(views[name, length][0][column]) for name in sorted(names))
            assert sum(parts) == pytest.approx(whole), (length, column)


def test_most_codes_that_the_demo_has_are_explained(demo):
    codes = demo.ask("select count(*) as all, count(meaning) as told from analytics.errors_daily")

    assert codes["told"] > 0.8 * codes["all"] > 0


def test_every_figure_is_defined(demo):
    for name in ("Completion rate", "Abandon rate", "Delivery rate", "Total cost"):
        assert f"<dt>{name}</dt><dd>" in demo.report


# --- In a browser ------------------------------------------------------------------------------

OVERLAPS = """
[...document.querySelectorAll('svg, .large, .legend, tr, .filter')].flatMap(group => {
  const texts = [...group.querySelectorAll('text, data, h3, small, li, td, th, .filter span')]
    .filter(one => one.textContent && one.checkVisibility());
  const boxes = texts.map(one => one.getBoundingClientRect());
  return boxes.flatMap((a, i) => boxes.slice(i + 1).flatMap((b, j) => {
    const inside = texts[i].contains(texts[i + 1 + j]);
    const apart = a.right <= b.left + 0.5 || b.right <= a.left + 0.5
      || a.bottom <= b.top + 0.5 || b.bottom <= a.top + 0.5;
    return inside || apart ? [] : [[texts[i].textContent, texts[i + 1 + j].textContent]];
  }));
})
"""
CUT_OFF = """
[...document.querySelectorAll('svg text')].filter(text => {
  if (!text.checkVisibility()) return false;
  const box = text.getBoundingClientRect(), card = text.closest('figure').getBoundingClientRect();
  return box.left < card.left || box.right > card.right || box.bottom > card.bottom;
}).map(text => text.textContent).concat(
  [...document.querySelectorAll('.large data, .large h3, .chart figcaption')]
    .filter(one => one.scrollWidth > one.clientWidth && one.clientWidth).map(one => one.textContent)
)
"""
SMALLEST = """
Math.min(...[...document.querySelectorAll('svg text')].filter(
  text => text.checkVisibility()
).map(text => {
  const svg = text.ownerSVGElement;
  return parseFloat(getComputedStyle(text).fontSize) * svg.getScreenCTM().a;
}))
"""
BARS = """
[...document.querySelectorAll('svg')].filter(
  svg => svg.checkVisibility() && svg.querySelector('.bar')
).map(svg => {
  const axis = svg.querySelector('.axis').getBoundingClientRect().top;
  return [axis, [...svg.querySelectorAll('.bar')].map(bar => {
    const box = bar.getBoundingClientRect();
    return [box.left, box.top, box.bottom, box.height, Number(bar.dataset.value)];
  })];
})
"""
CONTRASTS = """
(() => {
  const light = colour => {
    const [r, g, b] = colour.match(/[\\d.]+/g).slice(0, 3).map(part => {
      const c = part / 255;
      return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = one => {
    for (; one; one = one.parentElement) {
      const colour = getComputedStyle(one).backgroundColor;
      if (!colour.endsWith(', 0)')) return colour;
    }
  };
  const texts = document.querySelectorAll(
    'h1, h2, h3, p, data, small, li, th, td, legend, label span, svg text'
  );
  return [...texts].map(one => {
    const style = getComputedStyle(one);
    const colour = one.ownerSVGElement ? style.fill : style.color;
    const [a, b] = [light(colour), light(behind(one))].sort((a, b) => b - a);
    return (a + 0.05) / (b + 0.05);
  });
})()
"""
CHOSEN = """
(() => {
  const shown = () => [...document.querySelectorAll('.view')].filter(one => one.checkVisibility())
    .map(one => [one.dataset.account, Number(one.dataset.length)]);
  const seen = [shown()];
  for (const id of ['range-1', 'account-2', 'range-0', 'account-0']) {
    document.getElementById(id).click();
    seen.push(shown());
  }
  return [seen, document.querySelectorAll('.account label')[2].textContent];
})()
"""
TIPS = """
(() => {
  const visible = () => [...document.querySelectorAll('.hints span')]
    .filter(one => one.checkVisibility({opacityProperty: true}));
  const before = visible().length;
  const found = [...document.querySelectorAll('.hints')].filter(one => one.checkVisibility())
    .map(group => [...group.querySelectorAll('input')].flatMap(input => {
      input.focus();
      const seen = visible(), box = seen[0].getBoundingClientRect();
      const inside = box.left >= 0 && box.right <= innerWidth;
      return seen.length === 1 && seen[0] === input.nextSibling && inside ? [] : [box.toJSON()];
    }));
  return [before, found];
})()
"""
BOTH = pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
WIDTHS = pytest.mark.parametrize("width", [390, 768, 1280])


@pytest.fixture(scope="module", params=["real", "huge", "single", "strange"])
def report(request, tmp_path_factory):
    """Reports of all kinds of accounts."""
    if request.param == "real":
        return request.getfixturevalue("demo").folder / "report.html"
    path = tmp_path_factory.mktemp("report") / "report.html"
    made = datetime(2026, 1, 31, 8, tzinfo=UTC)
    path.write_text(page(KINDS[request.param](), {"calls": "a `b`"}, subject="Test", made=made))
    return path


def huge():
    found = figures(
        31,
        calls=12_345_678,
        inbound_calls=5_345_678,
        outbound_calls=7_000_000,
        messages=99_999_999,
        inbound_messages=1,
        outbound_messages=99_999_998,
        segments=199_999_999,
        failed_messages=9_999_999,
        completion_rate=1.0,
        abandon_rate=0.0,
        delivery_rate=0.99999,
        average_call_seconds=86_399.0,
        total_cost=Decimal("1234567.891234"),
        calls_usage_cost=Decimal("-1234567.89"),
        sms_usage_cost=Decimal("1234567.89"),
        numbers_usage_cost=Decimal("1234567.89"),
        call_cost=Decimal("1234567.89"),
        message_cost=Decimal("1234567.89"),
        currency="CHF",
    )
    number = {"number": "+442071838750", "calls": 12_345_678, "messages": 99_999_999}
    return with_tables(found, numbers=[{**number, "cost": Decimal("1234567.89")}])


def strange():
    found = figures(9, calls=1, inbound_calls=1, total_cost=Decimal("0.013"))
    name = "<script>alert(1)</script><img src=http://example.com/x>" + "W" * 200
    error = {"error_code": '"><b>', "meaning": None, "source": "alerts", "occurrences": 1}
    found = with_tables(
        found,
        accounts=[{"account": name, "calls": 1, "messages": 0, "total_cost": None}],
        numbers=[{"number": f"sip:{'a' * 90}@b", "calls": 1, "messages": 0, "cost": Decimal(0)}],
        errors=[error],
    )
    other = [view._replace(account=name) for view in found.views]
    return found._replace(views=found.views + other)


KINDS = {"huge": huge, "single": lambda: figures(1), "strange": strange}


@WIDTHS
def test_nothing_is_cut_off_or_written_over(browser, report, width):
    script = f"[{OVERLAPS}, {CUT_OFF}, document.documentElement.scrollWidth]"

    overlaps, cut_off, page_width = browser.look(report, script, width=width).value

    assert overlaps == []
    assert cut_off == []
    assert page_width <= width


@WIDTHS
def test_letters_are_large_enough(browser, report, width):
    assert browser.look(report, SMALLEST, width=width).value >= 10


@BOTH
def test_letters_stand_out(browser, report, dark):
    contrasts = browser.look(report, CONTRASTS, width=1280, dark=dark).value

    assert min(contrasts) >= 4.5


def test_bars_are_as_high_as_their_values(browser, demo):
    charts = browser.look(demo.folder / "report.html", BARS, width=1280).value

    assert len(charts) == 3
    for axis, bars in charts:
        scale = max(height / value for _, _, _, height, value in bars)
        below: dict[float, float] = {}
        for left, top, bottom, height, value in bars:
            assert height == pytest.approx(value * scale, rel=0.01, abs=0.1)
            assert bottom == pytest.approx(below.get(left, axis), abs=1)
            below[left] = top


@BOTH
def test_nothing_is_fetched_and_nothing_runs(browser, report, dark):
    look = browser.look(report, "document.scripts.length", width=1280, dark=dark)

    assert look.asked_for == [report.as_uri()]
    assert look.complaints == []
    assert look.value == 0


def test_one_view_is_shown_and_others_can_be_chosen(browser, demo):
    path = demo.folder / "report.html"

    (seen, name) = browser.look(path, CHOSEN, width=1280).value

    assert seen == [[["", 7]], [["", 30]], [[name, 30]], [[name, 7]], [["", 7]]]


@WIDTHS
def test_the_days_tell_their_values_where_the_focus_is(browser, report, width):
    before, found = browser.look(report, TIPS, width=width).value

    assert before == 0
    assert found
    assert not any(found)


def test_elements_are_closed(report):
    Reader(report.read_text())
