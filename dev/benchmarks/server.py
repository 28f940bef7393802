"""The sandbox in a process of its own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, cast
from urllib.request import urlopen

if TYPE_CHECKING:
    from types import TracebackType

    from benchmarks.scenarios import World

ROOT = Path(__file__).parents[2]
_CACHE_MB = "1536"
"""Memory for finished pages: making them must not be what is measured."""


class Server:
    """A sandbox, used as a context manager.

    Attributes:
        base_url: Where the products' host labels begin.
        account_sid: The main account's SID.
        auth_token: The main account's auth token.
    """

    def __init__(self, world: World) -> None:
        """Start it, and wait until it answers.

        Args:
            world: What there is to read.

        Raises:
            RuntimeError: It doesn't start.
        """
        self.world = world
        command = [sys.executable, "-m", "sandbox", "--port", "0", "--log-size", "1"]
        command += ["--cache-mb", _CACHE_MB, *world.arguments()]
        self._process = subprocess.Popen(  # noqa: S603
            command,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
        )
        self.base_url = self._expect(r"sandbox at (\S+)")[1]
        account = self._expect(r"(AC\w+) (\w+)")
        self.account_sid, self.auth_token = account[1], account[2]

    def __enter__(self) -> Self:
        """Give the running sandbox."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop it."""
        self._process.terminate()
        self._process.communicate()

    def counters(self) -> dict[str, Any]:
        """Tell what was asked since the last reset."""
        return self._control("requests")

    def reset(self) -> None:
        """Forget what was asked."""
        self._control("reset")

    def advance(self, seconds: float) -> None:
        """Move the clock on."""
        self._control(f"advance?seconds={seconds:g}")

    def _control(self, what: str) -> dict[str, Any]:
        with urlopen(f"{self.base_url}/_sandbox/{what}", timeout=30) as answer:  # noqa: S310
            return cast("dict[str, Any]", json.load(answer))

    def _expect(self, pattern: str) -> re.Match[str]:
        if self._process.stdout is not None:
            for line in self._process.stdout:
                if found := re.search(pattern, line):
                    return found
        msg = f"the sandbox did not start: exit code {self._process.wait()}"
        raise RuntimeError(msg)
