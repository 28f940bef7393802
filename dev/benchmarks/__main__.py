"""Measure: `python -m benchmarks --help`."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.connectors import UnavailableError
from benchmarks.doors import ALL
from benchmarks.measure import measure
from benchmarks.results import Reading, save, table
from benchmarks.scenarios import OURS, SCENARIOS, Scenario, choose

RESULTS = Path(__file__).with_name("results")
_QUICK = 0.02


def main(arguments: list[str] | None = None) -> None:
    """Measure the scenarios that are asked for, print the table, keep the readings."""
    # Where it is set, as in many images, each start of each connector compiles all of it anew.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    given = _arguments(arguments)
    scenarios = given.scenario
    repeats = given.repeats
    if given.quick:
        scenarios = [_quick(scenario) for scenario in scenarios]
        repeats = 1
    wanted = dict.fromkeys(name for scenario in scenarios for name in scenario.shares)
    versions = _install([name for name in wanted if not given.only or name in given.only])
    about: dict[str, Any] = {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "versions": versions,
        "scenarios": {},
    }
    output = given.output or (None if given.quick else RESULTS / "latest.json")
    readings: list[Reading] = []
    for scenario in scenarios:
        about["scenarios"][scenario.name] = {
            "title": scenario.title,
            "latency": scenario.world.latency,
            "measured": datetime.now(UTC).strftime("%Y-%m-%d %H:%M"),
            "load": round(os.getloadavg()[0], 1),
        }
        readings += measure(
            scenario,
            versions,
            repeats=min(repeats, scenario.repeats or repeats),
            warm=not given.quick,
            say=_say,
        )
        if output is not None:
            save(output, about, readings)
    titles = {scenario.name: scenario.title for scenario in scenarios}
    sys.stdout.write(table(readings, titles, reference=OURS) + "\n")


def _install(names: list[str]) -> dict[str, str]:
    """Make the connectors ready; tell the versions of those that are."""
    versions = {}
    for name in names:
        connector = ALL[name]
        try:
            connector.install()
        except UnavailableError as error:
            _say(f"{name} is left out, as it doesn't install: {error}")
        else:
            versions[name] = connector.version
    return versions


def _quick(scenario: Scenario) -> Scenario:
    return replace(scenario.scaled(_QUICK), title=f"{scenario.title}; few of them")


def _say(what: str) -> None:
    sys.stderr.write(f"{what}\n")


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure the tap, with other connectors beside it, against the sandbox.",
    )
    add = parser.add_argument
    names = ", ".join(scenario.name for scenario in SCENARIOS)
    add("--scenario", action="append", default=[], metavar="NAME", help=f"of {names}")
    add("--only", action="append", choices=list(ALL), help="this connector")
    add("--repeats", type=int, default=3, help="how often each run is made (default: 3)")
    add("--quick", action="store_true", help="few rows, once; nothing is kept")
    add("--output", type=Path, help="where the readings go (default: benchmarks/results)")
    given = parser.parse_args(arguments)
    try:
        given.scenario = choose(given.scenario)
    except ValueError as error:
        parser.error(str(error))
    return given


if __name__ == "__main__":
    main()
