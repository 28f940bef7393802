"""What a backfill costs: requests and time, foretold and measured (`python -m benchmarks.model`).

The formula and its meaning are in docs/scaling.md.
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
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.connectors import CONNECTORS
from benchmarks.scenarios import OURS, World
from benchmarks.server import Server

if TYPE_CHECKING:
    from collections.abc import Sequence

SPLIT = 4
"""Pages up to which a stream is one chain of requests; a longer one is cut into windows."""

PAGES = 1.5
"""Requests a full page of rows, where a stream is cut: windows seldom end where a page does."""

START = 0.8
"""Seconds before the first request: Python, and the schemas of all streams."""

ROW = 30e-6
"""Seconds of one core that a row takes."""

FIRST, AT_FIRST = 3, 4
"""Requests in a row before there is anything to share out, and those of an account let in flight
at first; each round of answers lets in one more."""


@dataclass(frozen=True)
class Cost:
    """What reading takes.

    Attributes:
        requests: Requests that are made.
        core: Seconds of a core.
        seconds: How long it takes.
    """

    requests: float
    core: float
    seconds: float


@dataclass(frozen=True)
class Read:
    """One stream of one account.

    Attributes:
        rows: How many rows it has.
        page: Rows on a page.
        undated: Lists that are searched besides for rows without a date, each by its share of
            the rows.
        parents: Rows of the stream above that have rows of this one: a request each.
    """

    rows: int
    page: int = 1000
    undated: Sequence[float] = ()
    parents: int = 0

    @property
    def requests(self) -> float:
        """Requests that reading it takes."""
        if self.parents:
            return float(self.parents)
        pages = self.rows / self.page
        read = max(1, math.ceil(pages)) if pages <= SPLIT else 1 + PAGES * pages
        return read + sum(max(1, math.ceil(pages * share)) for share in self.undated)


UNDATED = {"calls": (0.02, 0.02, 0.02, 0.02), "messages": (1.0,)}
"""Of calls, lists by status; of messages, the whole list."""


def predict(
    reads: Sequence[Read], *, latency: float, concurrency: int, accounts: int = 1, shards: int = 1
) -> Cost:
    """Foretell what a backfill takes.

    Args:
        reads: All that is to be read.
        latency: Seconds from a request to its answer.
        concurrency: Requests in flight at most, in each run.
        accounts: Accounts in the list of accounts.
        shards: Runs that the whole is cut into, on as many cores.

    Returns:
        What all runs take together; the seconds are those of the longest, if they are alike.
    """
    requests = shards * math.ceil(accounts / 1000) + sum(read.requests for read in reads)
    rows = sum(read.rows for read in reads)
    rounds, left, bound = FIRST, requests / shards, min(concurrency, AT_FIRST * accounts)
    while left > 0:
        rounds, left, bound = rounds + 1, left - bound, min(concurrency, bound + accounts)
    working = rows * ROW
    return Cost(
        requests,
        core=START * shards + working,
        seconds=START + max(rounds * latency, working / shards),
    )


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
        cost = predict(
            reads(world, streams),
            latency=world.latency,
            concurrency=concurrency,
            accounts=1 + world.subaccounts,
        )
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
