"""Read everything, let time pass, read what is new, and look at the data: `python -m demo`."""

from __future__ import annotations

import shutil
import sys
import time
from contextlib import closing, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from demo.errors import DemoError
from demo.pipeline import Pipeline
from demo.sources import RealAccount, SimulatedAccount
from demo.warehouse import Warehouse

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

ROOT = Path(__file__).resolve().parent.parent
OUTPUT = ROOT / "output" / "demo"
HOURS = 6
CENT = 0.01  # how far apart costs may be: each account's are rounded
# What is compared row by row with Twilio's own lists.
CHECKED = {"calls": "Calls", "messages": "Messages", "recordings": "Recordings"}


def main() -> int:
    """Run the demo.

    Returns:
        The exit code.
    """
    try:
        shutil.rmtree(OUTPUT, ignore_errors=True)
        OUTPUT.mkdir(parents=True)
        with _source() as source:
            _demonstrate(source)
    except DemoError as error:
        sys.stderr.write(f"The demo failed. {error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _source() -> AbstractContextManager[RealAccount | SimulatedAccount]:
    if RealAccount.is_meant():
        return nullcontext(RealAccount())
    return SimulatedAccount(OUTPUT / "sandbox.log")


def _demonstrate(source: RealAccount | SimulatedAccount) -> None:
    _say(f"{source}\n")
    pipeline = Pipeline(OUTPUT, source.config, source.options)
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
    with closing(Warehouse(OUTPUT / "twilio.duckdb", pipeline.rows)) as warehouse:
        found = warehouse.load(pipeline.keys(), first)
        rows = [
            (stream, first.get(stream, 0), second[stream], *changes)
            for stream, changes in found.items()
        ]
        names = ["stream", "first run", "second run", "new", "changed", "stored"]
        _say(_table(names, [[stream, *(f"{n:,}" for n in ns)] for stream, *ns in rows]))
        if isinstance(source, SimulatedAccount):
            _check(source, warehouse)
        columns, days = warehouse.last_week()
        _say(f"The last seven days (UTC; costs in {warehouse.currency()}):\n")
        _say(_table(columns, days))
    _say(f"Everything is in {OUTPUT.relative_to(ROOT)}/: the rows, the state, a DuckDB database.")


def _timed(pipeline: Pipeline) -> float:
    start = time.monotonic()
    pipeline.run()
    return time.monotonic() - start


def _check(source: SimulatedAccount, warehouse: Warehouse) -> None:
    for stream, resource in CHECKED.items():
        rows = source.rows(f"{resource}.json?PageSize=1000", stream)
        expected = {row["sid"]: row["status"] for row in rows}
        found = warehouse.statuses(stream)
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
    for day, cost in warehouse.costs().items():
        if abs(cost - expected_costs.get(day, 0)) > CENT:
            msg = f"The accounts' costs of {day} add up to {cost}, not {expected_costs.get(day)}"
            raise DemoError(msg)
    _say("Checked: the accounts' costs add up, day by day, to what Twilio says of them together.\n")


def _table(names: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(names, *rows, strict=True)]
    lines = [
        "  ".join(
            # The first column names the row, the others are numbers.
            cell.rjust(width) if place else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in (names, ["-" * width for width in widths], *rows)
    ]
    return "\n".join([*(f"  {line}" for line in lines), ""])


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
