"""Ends runs at random moments, and has the next one go on from what a target would have kept."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from harness import STREAMS_BY_NAME, Output, config_for, utc_now
from sandbox import Sandbox
from soak.oracle import Judge, Range, Target, check
from soak.play import catalog_of

if TYPE_CHECKING:
    from collections.abc import Iterator

STREAMS: Final = ("calls", "call_feedback", "messages", "message_media", "alerts", "applications")

CODES: Final = {"SIGKILL": -9, "SIGTERM": 143, "SIGINT": 130, "target": 141}
"""How a process ends that is killed, asked to end, or whose target dies."""

MOST_LINES: Final = 900
"""About as many messages as a whole run writes."""

MARGIN: Final = timedelta(days=1, minutes=1)
"""What is asked for besides a window: as filters may only heed days, a day."""


@dataclass(frozen=True)
class Cut:
    """How a run ends before its time.

    Attributes:
        how: A signal's name, or ``target`` where the target dies.
        lines: Lines of output after which it does.
        kept: The part of the lines read that the target has made safe.
    """

    how: str
    lines: int
    kept: float


def cuts(seed: int, count: int) -> list[Cut]:
    """Make up moments.

    Args:
        seed: What they depend on.
        count: How many.

    Returns:
        The moments.
    """
    dice = random.Random(seed)  # noqa: S311 - nothing is kept secret with it
    return [
        Cut(
            dice.choice(sorted(CODES)),
            # Early ones more often: a run that goes on has less to say.
            int(MOST_LINES ** dice.random()),
            dice.choice((1.0, 1.0, dice.random())),
        )
        for _ in range(count)
    ]


def kill_and_resume(seed: int, count: int) -> int:
    """End some runs of one world before their time, then let one run to its end.

    Args:
        seed: What the world and the moments depend on.
        count: How many runs to cut off.

    Returns:
        How many runs were really cut off.

    Raises:
        Violation: Something was lost, or read again without need.
    """
    volumes = {"calls": 300, "messages": 300, "alerts": 200}
    world: dict[str, Any] = {"seed": seed, "now": utc_now(), "days": 25, "subaccounts": 1}
    with (
        Sandbox(**world, volumes=volumes, page_latency=0.004) as twilio,
        tempfile.TemporaryDirectory() as folder,
    ):
        config = config_for(twilio, page_size=25, max_concurrent_requests=3)
        process = _Process(Path(folder), config)
        judge = Judge(twilio, STREAMS)
        target = Target()
        cut_off = 0
        for cut in cuts(seed, count):
            cut_off += _cut_off(twilio, process, judge, target, cut)
        twilio.requests.reset()
        before = target.state
        output = process.run(before)
        _check_reading(twilio, before)
        target.load(output.messages)
        judge.complete(output, target, Range(twilio.now, None, None), judge.truths())
        return cut_off


def _cut_off(twilio: Sandbox, process: _Process, judge: Judge, target: Target, cut: Cut) -> bool:
    twilio.requests.reset()
    before = Target(state=target.state)
    output = process.run(target.state, cut)
    _check_reading(twilio, target.state)
    judge.sound(output, before, Range(datetime.now(UTC), None, None), still=True)
    check(
        output.exit_code in {CODES[cut.how], 0},
        f"{cut} ended with {output.exit_code}: {output.log}",
    )
    kept = output.messages[: round(len(output.messages) * cut.kept)]
    target.load(kept)
    return output.exit_code != 0


class _Process:
    """The tap as a process of its own, with a pipe to the target."""

    def __init__(self, folder: Path, config: dict[str, Any]) -> None:
        self._folder = folder
        self._write("config", config)
        self._write("catalog", catalog_of(STREAMS))

    def _write(self, name: str, content: Any) -> str:  # noqa: ANN401 - anything JSON
        path = self._folder / f"{name}.json"
        path.write_text(json.dumps(content))
        return str(path)

    def run(self, state: dict[str, Any], cut: Cut | None = None) -> Output:
        """Run it from a state, to its end or to a cut."""
        self._write("state", state)
        command = [sys.executable, "-m", "tap_twilio"]
        for name in ("config", "catalog", "state"):
            command += [f"--{name}", str(self._folder / f"{name}.json")]
        log = self._folder / "log"
        with log.open("wb") as stderr:
            tap = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, bufsize=0)  # noqa: S603
            lines = list(self._lines(tap, cut))
            code = tap.wait(timeout=60)
        whole = [line.decode() for line in lines if line.endswith(b"\n")]
        if cut is not None and cut.how in {"SIGTERM", "SIGINT"}:
            check(len(whole) == len(lines), "a run that was asked to end left half a line")
        return Output(code, whole, log.read_text())

    def _lines(self, tap: subprocess.Popen[bytes], cut: Cut | None) -> Iterator[bytes]:
        assert tap.stdout is not None  # noqa: S101 - it is a pipe
        for number, line in enumerate(tap.stdout):
            yield line
            if cut is not None and number + 1 == cut.lines:
                if cut.how == "target":
                    tap.stdout.close()
                    return
                tap.send_signal(getattr(signal, cut.how))


def _check_reading(twilio: Sandbox, state: dict[str, Any]) -> None:
    """Insist that a run read again no more than a window's edge and the look-back."""
    for name, field in (
        ("calls", "StartTime>"),
        ("messages", "DateSent>"),
        ("alerts", "StartDate"),
    ):
        stream = STREAMS_BY_NAME[name]
        for account in twilio.accounts:
            bookmarks = Target(state=state).bookmarks([name], account.sid)
            asked = _lower_bounds(twilio, stream.path.rpartition("/")[2], account.sid, field)
            if bookmarks and asked:
                floor = bookmarks[0] - stream.lookback - MARGIN
                check(
                    min(asked) >= floor,
                    f"{name}: read again from {min(asked)}, though the bookmark is {bookmarks[0]}",
                )


def _lower_bounds(twilio: Sandbox, path: str, account: str, field: str) -> list[datetime]:
    return [
        datetime.fromisoformat(value)
        for request in twilio.requests
        if request.path.endswith(f"/{path}") and request.account == account
        for name, value in request.query
        if name == field
    ]
