"""Run connectors side by side and take their measure.

The process that measures stays small: on Linux a child's peak memory counts from what its parent
held when it was forked.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.doors import ALL, Door
from benchmarks.processes import Session
from benchmarks.results import Reading
from benchmarks.server import ROOT, Server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from benchmarks.connectors import Connector
    from benchmarks.scenarios import Scenario, World

LIMIT = 600.0
"""Seconds after which a run is stopped; what it has read by then still tells its rate."""

_POLL = 0.01
_LOOK = 0.05
_READER = Path(__file__).with_name("reader.py")
_RSS_UNIT = 1 if sys.platform == "darwin" else 1024


@dataclass(frozen=True)
class _Task:
    """One connector in one scenario."""

    connector: Connector
    world: World
    truth: Path | None
    folder: Path
    server: Server | None


def measure(
    scenario: Scenario,
    names: Iterable[str],
    *,
    repeats: int,
    warm: bool = True,
    say: Callable[[str], None] = lambda _: None,
) -> list[Reading]:
    """Measure a scenario.

    Args:
        scenario: The scenario.
        names: The connectors that are at hand.
        repeats: How often; the connectors take turns.
        warm: Whether to let the sandbox make its pages before, for those who would wait for it.
        say: Told what is going on.

    Returns:
        A reading of each run, in the order in which they were made.
    """
    now = datetime.now(UTC).replace(microsecond=0)
    at_hand = set(names)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        tasks: list[_Task] = []
        for number, (name, share) in enumerate(scenario.shares.items()):
            if name not in at_hand:
                continue
            world = scenario.world.scaled(share).at(now)
            place = folder / str(number)
            place.mkdir()
            same = next((task for task in tasks if task.world == world), None)
            truth = same.truth if same else _truth(scenario, world, place)
            server = same.server if same else None
            if server is None and not scenario.advance:
                server = stack.enter_context(Server(world))
            tasks.append(_Task(ALL[name], world, truth, place, server))
        for task in tasks:
            if warm and task.connector.warm and task.server is not None and scenario.checked:
                say(f"{scenario.name}: {task.connector.name}, unmeasured")
                _run(scenario, task, task.server)
        readings = []
        for repeat in range(1, repeats + 1):
            for task in tasks:
                say(f"{scenario.name}: {task.connector.name}, {repeat} of {repeats}")
                readings.append(_take(scenario, task))
        return readings


def _take(scenario: Scenario, task: _Task) -> Reading:
    if task.server is not None:
        return _run(scenario, task, task.server)
    with Server(task.world) as server:
        _run(scenario, task, server)
        server.advance(scenario.advance)
        messages = (task.folder / "states").read_text().splitlines()
        state = task.folder / "state.json"
        state.write_text(json.dumps(task.connector.state(messages)))
        try:
            return _run(scenario, task, server)
        finally:
            state.unlink()


def _run(scenario: Scenario, task: _Task, server: Server) -> Reading:
    command = task.connector.command(server, scenario.streams, task.folder)
    server.reset()
    if isinstance(task.connector, Door):
        run = _loaded(task.connector, command, task, server)
    else:
        run = _drained(command, task.truth, task.folder)
    counters = server.counters()
    missing, unknown = run.counts["missing"], run.counts.get("unknown")
    rows = int(run.counts["rows"] or 0)
    distinct = int(run.counts["distinct"] or 0)
    if task.truth is None:
        missing, unknown = sum(task.world.volumes.values()) - distinct, 0
    full = sum(scenario.world.volumes.values())
    return Reading(
        scenario=scenario.name,
        connector=task.connector.name,
        share=sum(task.world.volumes.values()) / full,
        rows=rows,
        seconds=run.seconds,
        first=None if run.counts["first"] is None else run.counts["first"] - run.started,
        cpu=run.cpu,
        loader=run.loader,
        memory=run.memory,
        size=None if run.counts["bytes"] is None else int(run.counts["bytes"]),
        requests=counters["total"],
        refused=counters["statuses"].get("429", 0),
        in_flight=counters["max_in_flight"],
        missing=None if run.stopped or missing is None else int(missing),
        repeated=rows - distinct + int(unknown or 0),
        stopped=run.stopped,
        exit_code=run.exit_code,
    )


@dataclass(frozen=True)
class _Run:
    counts: dict[str, float | None]
    started: float
    seconds: float
    cpu: float
    memory: int
    stopped: bool
    exit_code: int
    loader: float = 0.0


def _drained(command: Sequence[str], truth: Path | None, folder: Path) -> _Run:
    """Run a connector into a reader."""
    reading = [sys.executable, "-P", str(_READER), str(truth or "-"), str(folder / "states")]
    with (folder / "log").open("wb") as log:
        started = time.monotonic()
        connector = subprocess.Popen(  # noqa: S603
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=log
        )
        reader = subprocess.Popen(  # noqa: S603
            reading, stdin=connector.stdout, stdout=subprocess.PIPE
        )
        if connector.stdout is not None:
            connector.stdout.close()
        try:
            code, usage, stopped = _wait(connector, started + LIMIT)
        except BaseException:
            connector.kill()
            raise
        seconds = time.monotonic() - started
    counted, _ = reader.communicate()
    if code and not stopped:
        _tell(command, code, folder)
    return _Run(
        counts=json.loads(counted),
        started=started,
        seconds=seconds,
        cpu=usage.ru_utime + usage.ru_stime,
        memory=usage.ru_maxrss * _RSS_UNIT,
        stopped=stopped,
        exit_code=code,
    )


def _loaded(door: Door, command: Sequence[str], task: _Task, server: Server) -> _Run:
    """Run a door, and look at what it has loaded."""
    first: float | None = None
    stopped = False
    with (task.folder / "log").open("wb") as log:
        started = time.monotonic()
        process = subprocess.Popen(  # noqa: S603
            command, cwd=task.folder, stdout=log, stderr=log, start_new_session=True
        )
        session = Session(process.pid)
        try:
            while process.poll() is None:
                session.look()
                if first is None and server.counters()["total"]:
                    first = time.monotonic()
                if time.monotonic() > started + LIMIT:
                    stopped = True
                    os.killpg(process.pid, signal.SIGKILL)
                time.sleep(_LOOK)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
        seconds = time.monotonic() - started
    counts: dict[str, float | None] = dict.fromkeys(("rows", "distinct", "missing", "bytes"))
    if process.returncode:
        _tell(command, process.returncode, task.folder)
    else:
        counts = door.destination.counts(task.folder, task.truth)
    cpu, loader = session.cpu(door.readers(task.folder))
    if not cpu:
        cpu, loader = loader, 0.0
    return _Run(
        counts={**counts, "first": first},
        started=started,
        seconds=seconds,
        cpu=cpu,
        loader=loader,
        memory=session.memory,
        stopped=stopped,
        exit_code=process.returncode,
    )


def _tell(command: Sequence[str], code: int, folder: Path) -> None:
    lines = (folder / "log").read_text(errors="replace").splitlines()
    sys.stderr.write("\n".join([f"{command[0]} ended with {code}:", *lines[-5:], ""]))


def _wait(process: subprocess.Popen[bytes], until: float) -> tuple[int, Any, bool]:
    """Wait for a process, with what it used; stop it when its time is over."""
    stopped = False
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            process.returncode = os.waitstatus_to_exitcode(status)
            return process.returncode, usage, stopped
        if time.monotonic() > until and not stopped:
            process.kill()
            stopped = True
        time.sleep(_POLL)


def _truth(scenario: Scenario, world: World, folder: Path) -> Path | None:
    if not scenario.checked:
        return None
    wanted = {
        "options": world.options(),
        "streams": scenario.streams,
        "advance": scenario.advance,
    }
    path = folder / "truth"
    subprocess.run(  # noqa: S603
        [sys.executable, "-m", "benchmarks.truth", str(path)],
        cwd=ROOT,
        input=json.dumps(wanted),
        text=True,
        check=True,
    )
    return path
