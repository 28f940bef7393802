"""Play scenarios, and kill runs: `python -m soak --help`."""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import sys
import time
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings

from soak.kill import kill_and_resume
from soak.oracle import Violation
from soak.play import play
from soak.scenario import Scenario, scenarios
from soak.sends import send_and_kill

KILLS = 4
"""Runs that are cut off in one world."""

ROWS_A_KILL = 50
"""Rows for each run of the target that is killed."""

AGAIN = "Play it again: python -m soak"


def main(arguments: list[str] | None = None) -> int:
    """Play until the time is up, the count is reached or a promise is broken.

    Args:
        arguments: Of the command line.

    Returns:
        Exit code.
    """
    options = _arguments(arguments)
    # What the taps log to the terminal is judged, not shown.
    with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stderr(nowhere):
        try:
            if options.scenario:
                play(Scenario.from_json(options.scenario))
            elif options.kill is not None:
                kill_and_resume(options.kill, KILLS)
            elif options.sends is not None:
                return _send(options)
            else:
                return _play_many(options)
        except Violation as violation:
            _say(f"Broken: {violation}")
            return 1
    _say("Nothing was lost")
    return 0


def _send(options: argparse.Namespace) -> int:
    counts = send_and_kill(options.sends, options.rows, max(1, options.rows // ROWS_A_KILL))
    _say(
        f"{options.rows} rows, {counts.posts} requests, {counts.killed} runs killed: nothing was "
        f"sent twice; {counts.unknown} rows were not sent, or can't be told"
    )
    return 0


def _play_many(options: argparse.Namespace) -> int:
    number = random.SystemRandom().randrange(1 << 32) if options.seed is None else options.seed
    begin = time.monotonic()
    _say(f"Seed {number}; at most {options.count} scenarios and {options.minutes:g} minutes")
    if not _scenarios(number, options, begin + options.minutes * 60 * 0.75):
        return 1
    runs = cut_off = 0
    for world in range(number, number + options.count // 10):
        if time.monotonic() > begin + options.minutes * 60:
            break
        try:
            cut_off += kill_and_resume(world, KILLS)
        except Violation as violation:
            _say(f"Broken: {violation}\n{AGAIN} --kill {world}")
            return 1
        runs += KILLS + 1
    _say(f"{runs} runs in worlds where {cut_off} of them were cut off: nothing was lost")
    return 0


def _scenarios(number: int, options: argparse.Namespace, deadline: float) -> bool:
    played = 0
    failed: list[Scenario] = []

    @seed(number)
    @settings(
        max_examples=options.count,
        deadline=None,
        database=None,
        phases=[Phase.generate, *([Phase.shrink] if options.shrink else [])],
        suppress_health_check=list(HealthCheck),
    )
    @given(scenarios())
    def all_of_them(scenario: Scenario) -> None:
        nonlocal played
        if time.monotonic() > deadline and not failed:
            return
        try:
            play(scenario)
        except BaseException:
            failed.append(scenario)
            raise
        played += 1
        if played % 50 == 0:
            _say(f"{played} scenarios")

    try:
        all_of_them()
    except BaseException as error:
        if not failed:
            raise
        _say(f"Broken: {error}\n{AGAIN} --scenario '{failed[-1].to_json()}'")
        return False
    _say(f"{played} scenarios: nothing was lost")
    return True


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=20, help="when to stop (%(default)g)")
    parser.add_argument("--count", type=int, default=1000, help="scenarios (%(default)s)")
    parser.add_argument("--seed", type=int, help="what all depends on; random by default")
    parser.add_argument("--shrink", action="store_true", help="look for a smaller failing scenario")
    parser.add_argument("--scenario", help="play this one only, as an earlier run printed it")
    parser.add_argument("--kill", type=int, help="kill runs in this one world only")
    parser.add_argument("--sends", type=int, help="kill the target in this one world instead")
    parser.add_argument("--rows", type=int, default=2000, help="that it sends (%(default)s)")
    return parser.parse_args(arguments)


def _say(text: str) -> None:
    print(text, file=sys.__stderr__, flush=True)


if __name__ == "__main__":
    sys.exit(main())
