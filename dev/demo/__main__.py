"""Read everything, later what is new; look at the data; send messages: `python -m demo`."""

from __future__ import annotations

import shutil
import sys
import textwrap
import time
from contextlib import closing, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from demo import spelling
from demo.campaign import CONTACTS, Campaign
from demo.errors import DemoError
from demo.figures import read
from demo.models import build
from demo.pipeline import Pipeline
from demo.report import page
from demo.sources import RealAccount, SimulatedAccount
from demo.warehouse import Warehouse

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from demo.figures import Figures

ROOT = Path(__file__).resolve().parents[2]
OUTPUT = ROOT / "output" / "demo"
HOURS = 6
WEEK = 7
WIDTH = 36  # of a sentence in a table
CENT = 0.01  # how far apart costs may be: each account's are rounded
# What is compared row by row with Twilio's own lists.
CHECKED = {"calls": "Calls", "messages": "Messages", "recordings": "Recordings"}


def main(folder: Path = OUTPUT) -> int:
    """Run the demo.

    Args:
        folder: Where everything lands; what was there is removed.

    Returns:
        The exit code.
    """
    try:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        with _source(folder / "sandbox.log") as source:
            _demonstrate(source, folder)
    except DemoError as error:
        sys.stderr.write(f"The demo failed. {error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _source(log: Path) -> AbstractContextManager[RealAccount | SimulatedAccount]:
    if RealAccount.is_meant():
        return nullcontext(RealAccount())
    return SimulatedAccount(log)


def _demonstrate(source: RealAccount | SimulatedAccount, folder: Path) -> None:
    _say(f"{source}\n")
    pipeline = Pipeline(folder, source.config, source.options)
    seconds = _timed(pipeline)
    first = pipeline.counts()
    _say(f"First run:  {sum(first.values()):>7,} rows in {seconds:.1f} s")
    if isinstance(source, SimulatedAccount):
        source.pass_time(HOURS)
        _say(f"            {HOURS} hours pass at Twilio")
    seconds = _timed(pipeline)
    both = pipeline.counts()
    second = {stream: rows - first.get(stream, 0) for stream, rows in both.items()}
    _say(
        f"Second run: {sum(second.values()):>7,} rows in {seconds:.1f} s, with the first's state\n"
    )
    path = folder / "warehouse.duckdb"
    with closing(Warehouse(path)) as warehouse:
        found = warehouse.load(pipeline.rows, pipeline.keys(), first)
    rows = [
        (stream, first.get(stream, 0), second[stream], *changes)
        for stream, changes in found.items()
    ]
    names = ["stream", "first run", "second run", "new", "changed", "stored"]
    _say(_table(names, [[stream, *(f"{n:,}" for n in ns)] for stream, *ns in rows]))
    models = build(path, folder / "dbt")
    _say(f"dbt built {models.built} models of these tables, and {models.tested} tests passed.\n")
    with closing(Warehouse(path)) as warehouse:
        if isinstance(source, SimulatedAccount):
            _check(source, warehouse)
        figures = read(warehouse)
    if figures:
        _say(f"The last seven days (UTC; costs in {figures.currency}):\n")
        _say(_table(*_last_week(figures)))
        made = datetime.now(UTC)
        report = page(figures, models.definitions, subject=source.name, made=made)
        (folder / "report.html").write_text(report, encoding="utf-8")
    if isinstance(source, SimulatedAccount):
        _send(Campaign(folder, source))
    shown = folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder
    _say(f"Everything is in {shown}/: the rows, the state, a DuckDB database.")
    if figures:
        _say(f"To look at it, open {shown}/report.html in a browser.")


def _timed(pipeline: Pipeline) -> float:
    start = time.monotonic()
    pipeline.run()
    return time.monotonic() - start


def _check(source: SimulatedAccount, warehouse: Warehouse) -> None:
    for stream, resource in CHECKED.items():
        rows = source.rows(f"{resource}.json?PageSize=1000", stream)
        expected = {row["sid"]: row["status"] for row in rows}
        query = f"select sid, status from analytics.stg_{stream}"  # noqa: S608 - names from above
        found = {row["sid"]: row["status"] for row in warehouse.select(query)}
        missing, surplus = expected.keys() - found.keys(), found.keys() - expected.keys()
        stale = [sid for sid in expected.keys() & found.keys() if expected[sid] != found[sid]]
        if missing or surplus or stale:
            msg = (
                f"The {stream} are not those at Twilio: {len(missing)} missing, "
                f"{len(surplus)} too many, {len(stale)} with an old status"
            )
            raise DemoError(msg)
        _say(
            f"Checked: the {len(found):,} {stream} are exactly those at Twilio, each in its "
            "latest status."
        )
    # Asked for the main account's usage, Twilio adds the subaccounts' by itself.
    path = "Usage/Records/Daily.json?Category=totalprice&PageSize=500"
    totals = source.rows(path, "usage_records", main_only=True)
    expected_costs = {row["start_date"]: float(row["price"]) for row in totals}
    query = "select day::varchar as day, total_cost::double as cost from analytics.daily"
    for row in warehouse.select(query):
        day, cost = row["day"], row["cost"]
        if abs((cost or 0) - expected_costs.get(day, 0)) > CENT:
            msg = f"The accounts' costs of {day} add up to {cost}, not {expected_costs.get(day)}"
            raise DemoError(msg)
    _say("Checked: the accounts' costs add up, day by day, to what Twilio says of them together.\n")


def _send(campaign: Campaign) -> None:
    """Let contacts have messages, and follow these to their end."""
    planned, sent = campaign.run(sends=False), campaign.run(sends=True)
    count = campaign.check(sent)
    statuses = campaign.statuses()
    _say(f"The other direction: target-twilio takes {CONTACTS.name}, dry at first.\n")
    rows = [
        [
            str(contact),
            planned[contact]["outcome"],
            line["outcome"],
            statuses.get(line["sid"], ""),
            textwrap.shorten(line["message"] or "", WIDTH, placeholder=" …"),
        ]
        for contact, line in sent.items()
    ]
    names = ["contact", "dry run", "then", "days later", "why"]
    _say(_table(names, rows, texts=True))
    _say(f"Checked: Twilio has those {count} messages, each once; none was sent by the dry run.\n")


def _last_week(figures: Figures) -> tuple[list[str], list[list[str]]]:
    names = ["day", "calls", "completed", "average", "messages", "delivered", "cost"]
    rows = [
        [
            spelling.weekday(day["day"]),
            spelling.count(day["calls"]),
            spelling.share(day["completion_rate"], digits=0),
            spelling.length(day["average_call_seconds"]),
            spelling.count(day["messages"]),
            spelling.share(day["delivery_rate"], digits=0),
            spelling.money(day["total_cost"], figures.currency),
        ]
        for day in figures.days[-WEEK:]
    ]
    return names, rows


def _table(names: Sequence[str], rows: Sequence[Sequence[str]], *, texts: bool = False) -> str:
    widths = [max(map(len, column)) for column in zip(names, *rows, strict=True)]
    lines = [
        "  ".join(
            # The first column names the row, the others are numbers, unless they are texts.
            cell.ljust(width) if texts or not place else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in (names, ["-" * width for width in widths], *rows)
    ]
    return "\n".join([*(f"  {line}".rstrip() for line in lines), ""])


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
