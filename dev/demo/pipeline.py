"""The tap piped into a target, as anybody would run the two."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from demo.errors import DemoError
from environments import InstallError, install

if TYPE_CHECKING:
    from collections.abc import Sequence

TARGET = "target-jsonl"
VERSION = "0.1.4"


@dataclass
class Pipeline:
    """One tap, one target, and the files between the runs.

    Attributes:
        folder: Where everything lands.
        config: The tap's settings.
        options: Further options of the tap.
    """

    folder: Path
    config: dict[str, Any]
    options: Sequence[str] = ()

    def __post_init__(self) -> None:
        """Write the settings of both, and find both executables."""
        self.rows = self.folder / "rows"
        self.rows.mkdir()
        self._state = self.folder / "state.json"
        self._tap = program("tap-twilio")
        self._target = _target()
        self._runs = 0
        target_config = {"destination_path": str(self.rows), "do_timestamp_file": False}
        self._tap_config = self._write("tap.json", self.config)
        self._target_config = self._write("target.json", target_config)

    def _write(self, name: str, content: dict[str, Any]) -> Path:
        path = self.folder / name
        path.write_text(json.dumps(content, indent=2) + "\n")
        return path

    def run(self) -> None:
        """Read what is new since the last run; at first, everything.

        Raises:
            DemoError: One of the two failed.
        """
        self._runs += 1
        log = self.folder / f"run-{self._runs}.log"
        command = [self._tap, f"--config={self._tap_config}", *self.options]
        if self._state.exists():
            command.append(f"--state={self._state}")
        # The shell's way to say this: tap-twilio --config=… | target-jsonl --config=… > states
        with (
            log.open("w") as log_file,
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log_file) as tap,  # noqa: S603
            subprocess.Popen(  # noqa: S603
                [self._target, f"--config={self._target_config}"],
                stdin=tap.stdout,
                stdout=subprocess.PIPE,
                stderr=log_file,
                text=True,
            ) as target,
        ):
            if tap.stdout is not None:
                tap.stdout.close()  # so that the tap notices when the target ends
            states = target.communicate()[0].splitlines()
        for name, code in ((TARGET, target.returncode), ("tap-twilio", tap.returncode)):
            if code:
                msg = f"{name} ended with exit code {code}: {reason(log)}"
                raise DemoError(msg)
        if not states:
            msg = f"{TARGET} gave no state, so a second run would read everything again"
            raise DemoError(msg)
        # Only what the target says it has stored may be taken as read.
        self._state.write_text(f"{states[-1]}\n")

    def counts(self) -> dict[str, int]:
        """Count the rows stored so far.

        Returns:
            How many, by stream.
        """
        found = {}
        for path in sorted(self.rows.glob("*.jsonl")):
            with path.open("rb") as lines:
                found[path.stem] = sum(1 for _ in lines)
        return found

    def keys(self) -> dict[str, list[str]]:
        """Ask the tap by which fields a row is known.

        Returns:
            The names of the fields, by stream.
        """
        catalog = json.loads(run([self._tap, "--discover"], self.folder / "discover.log"))
        return {stream["stream"]: stream["key_properties"] for stream in catalog["streams"]}


def program(name: str) -> str:
    """Find a program of ours.

    Raises:
        DemoError: It isn't there.
    """
    path = shutil.which(name, path=str(Path(sys.executable).parent))
    if path is None:
        msg = f"{name} is not installed beside this Python; `make demo` sees to that"
        raise DemoError(msg)
    return path


def _target() -> str:
    try:
        return str(install(TARGET, f"{TARGET}=={VERSION}") / TARGET)
    except InstallError as error:
        raise DemoError(str(error)) from None


def run(
    command: Sequence[str], log: Path, *, source: IO[bytes] | None = None, most: int = 0
) -> str:
    """Run a program of ours to its end.

    Args:
        log: Where it says what it does.
        source: What it reads, if anything.
        most: The highest exit code that is no failure.

    Returns:
        What it wrote.

    Raises:
        DemoError: It failed.
    """
    with log.open("w") as said:
        done = subprocess.run(  # noqa: S603 - programs of ours, with files of ours
            command, stdin=source, stdout=subprocess.PIPE, stderr=said, text=True, check=False
        )
    if not 0 <= done.returncode <= most:
        msg = f"{Path(command[0]).name} ended with exit code {done.returncode}: {reason(log)}"
        raise DemoError(msg)
    return done.stdout


def reason(log: Path) -> str:
    """Give the sentence by which a program's log explains its end."""
    lines = [line for line in log.read_text().splitlines() if line.strip()]
    errors = [line for line in lines if "| ERROR " in line]
    # The tap's first complaint is the cause; what breaks without a complaint has it at the end.
    line = (errors or lines[-1:] or ["it said nothing"])[0]
    return f"{line.rsplit(' | ', 1)[-1]} (more in {log})"
