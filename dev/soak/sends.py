"""Kills the target around its requests, loses answers, and counts what was sent."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from environments.disk import on_disk
from harness import utc_now
from harness.target import TargetRunner, number, records
from sandbox import Sandbox
from sandbox.faults import Faults
from soak.oracle import check

if TYPE_CHECKING:
    from collections.abc import Mapping

LOSSES: Final = Faults(
    rate_429=0.01,
    rate_5xx=0.03,
    rate_reset=0.03,
    rate_truncated=0.01,
    rate_html=0.01,
    rate_redirect=0.01,
    retry_after=0.01,
    methods=("POST",),
)
"""Answers that are lost; half of these requests are carried out all the same."""

LATEST: Final = 0.02
"""Seconds after a request within which the end may come: about what a row takes."""

PATIENCE: Final = 300


@dataclass(frozen=True)
class Counts:
    """What came of it.

    Attributes:
        killed: Runs that were cut off.
        posts: Requests that wrote, in all runs.
        unknown: Rows that were never sent, or of which nobody could tell.
    """

    killed: int
    posts: int
    unknown: int


def send_and_kill(seed: int, rows: int, kills: int) -> Counts:
    """Send rows in runs that are killed, then in one that isn't, and one that only settles.

    Args:
        seed: What losses and moments depend on.
        rows: How many rows there are; each run is given all of them.
        kills: How many runs are killed.

    Returns:
        Counts.

    Raises:
        Violation: A row was sent twice, or what became of it was told wrongly.
    """
    dice = random.Random(seed)  # noqa: S311 - nothing is kept secret with it
    world: dict[str, Any] = {"seed": seed, "now": utc_now(), "days": 5, "subaccounts": 0}
    usual = Path(tempfile.gettempdir())
    with (
        Sandbox(**world, volumes={"calls": 0, "messages": 50}) as twilio,
        tempfile.TemporaryDirectory(dir=on_disk(usual)) as folder,
    ):
        target = TargetRunner(Path(folder), twilio)
        process = _Process(target, rows)
        twilio.faults = LOSSES
        killed = sum(
            process.run(after=dice.randint(0, 2 * rows // kills), late=dice.random() * LATEST)
            == -signal.SIGKILL
            for _ in range(kills)
        )
        process.run()
        twilio.faults = Faults()
        before = len(target.lines())
        code = process.run()
        unknown = _judge(target, target.lines()[before:], rows)
        check(code == (1 if unknown else 0), f"the last run ended with {code}: {process.log}")
        return Counts(killed, twilio.requests.methods["POST"], unknown)


def _judge(target: TargetRunner, told: list[dict[str, Any]], rows: int) -> int:
    """Compare what Twilio holds with what the last run told of each row."""
    held: dict[str, str] = {}
    for one in target.twilio.held:
        recipient = one["parameters"]["To"]
        check(recipient not in held, "a row was sent twice")
        held[recipient] = one["sid"]
    last: Mapping[int, dict[str, Any]] = {line["key"]["id"]: line for line in told}
    check(len(last) == rows, f"{len(last)} of {rows} rows were told of")
    for place, line in last.items():
        sid = held.get(number(place))
        if line["outcome"] == "unknown":
            check(sid is None, "a message that Twilio lists was not found")
        else:
            check(line["outcome"] in {"sent", "duplicate"}, f"a row became {line['outcome']}")
            check(line["sid"] == sid, "a row was told with another message than its own")
    return sum(line["outcome"] == "unknown" for line in last.values())


class _Process:
    """The target as a process of its own, which is given the same rows in each run."""

    def __init__(self, target: TargetRunner, rows: int) -> None:
        self._target = target
        self._config, self._input = target.folder / "config.json", target.folder / "input.singer"
        self._config.write_text(json.dumps(target.config(max_rows=rows)))
        given = [{"id": one, "to": number(one), "body": "Hello"} for one in range(rows)]
        self._input.write_text("\n".join(json.dumps(one) for one in records("messages", given)))
        self.log = ""

    def run(self, after: int | None = None, late: float = 0.0) -> int:
        """Run it, to its end or until it is killed; give how it ended.

        Args:
            after: Requests after which it is killed.
            late: Seconds besides.
        """
        methods = self._target.twilio.requests.methods
        end = None if after is None else methods["POST"] + after
        options = ["--config", str(self._config), "--input", str(self._input)]
        log = self._target.folder / "log"
        with log.open("wb") as said:
            target = subprocess.Popen(  # noqa: S603
                [sys.executable, "-m", "target_twilio", *options], stdout=said, stderr=said
            )
            while end is not None and methods["POST"] < end and target.poll() is None:
                time.sleep(0.001)
            if end is not None:
                time.sleep(late)
                target.kill()
            code = target.wait(PATIENCE)
        self.log = log.read_text()
        check("Traceback" not in self.log, self.log)
        return code
