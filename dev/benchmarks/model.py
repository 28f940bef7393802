"""What a backfill costs: requests and time, foretold and measured (`python -m benchmarks.model`).

docs/scaling.md has the formula and its meaning; the tap has it as code.
"""

from __future__ import annotations

import argparse
import json
import math
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.connectors import CONNECTORS
from benchmarks.scenarios import OURS, World
from benchmarks.server import Server
from tap_twilio.engine.cost import Cost, Read, Terms, predict

if TYPE_CHECKING:
    from collections.abc import Sequence

UNDATED = {"calls": (0.02, 0.02, 0.02, 0.02), "messages": (1.0,)}
"""Of calls, lists by status; of messages, the whole list."""


def reads(world: World, streams: Sequence[str]) -> list[Read]:
    """Tell what there is to read in a simulated Twilio.

    Args:
        world: What it holds.
        streams: The streams that are read: of those that it is told the rows of.

    Returns:
        A read for each account and stream.
    """
    return [
        Read(math.ceil(world.volumes[stream] * share), undated=UNDATED[stream])
        for share in (1.0, *[1 / 3] * world.subaccounts)
        for stream in streams
    ]


CASES = (
    ("one account, near", World({"calls": 40_000}, latency=0.05), 24),
    ("one account, far", World({"calls": 40_000}, latency=0.4), 24),
    ("few requests at once", World({"calls": 40_000}, latency=0.4), 4),
    ("five accounts", World({"calls": 24_000}, latency=0.4, subaccounts=4), 24),
    ("messages, far", World({"messages": 40_000}, latency=0.4), 24),
)


def measure(world: World, streams: Sequence[str], concurrency: int) -> Cost:
    """Run the tap against a simulated Twilio.

    Args:
        world: What it holds.
        streams: What is read.
        concurrency: Requests in flight at most.

    Returns:
        What it took.
    """
    now = datetime.now(UTC).replace(microsecond=0)
    with tempfile.TemporaryDirectory() as name, Server(world.at(now)) as server:
        bound = Path(name) / "bound.json"
        bound.write_text(json.dumps({"max_concurrent_requests": concurrency}))
        command = CONNECTORS[OURS].command(server, streams, Path(name))
        costs = []
        # At first the sandbox makes its rows, which is not what is measured.
        for _ in range(2):
            server.reset()
            started, before = time.perf_counter(), _core()
            subprocess.run(  # noqa: S603
                [*command, "--config", str(bound)],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                check=True,
            )
            seconds = time.perf_counter() - started
            costs.append(Cost(server.counters()["total"], _core() - before, seconds))
        return costs[-1]


def _core() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main(arguments: list[str] | None = None) -> None:
    """Foretell, measure, and print both."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.model", description=__doc__)
    parser.add_argument("--scale", type=float, default=1, help="share of the rows (default: 1)")
    scale = parser.parse_args(arguments).scale
    sys.stdout.write("| foretold / measured | requests | core seconds | seconds |\n")
    sys.stdout.write("|---|---:|---:|---:|\n")
    for title, whole, concurrency in CASES:
        world = whole.scaled(scale)
        streams = tuple(world.volumes)
        terms = Terms(world.latency, concurrency, accounts=1 + world.subaccounts)
        cost = predict(reads(world, streams), terms)
        taken = measure(world, streams, concurrency)
        figures = (
            f"{cost.requests:.0f} / {taken.requests:.0f}",
            f"{cost.core:.1f} / {taken.core:.1f}",
            f"{cost.seconds:.1f} / {taken.seconds:.1f}",
        )
        sys.stdout.write(f"| {title} | {' | '.join(figures)} |\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
