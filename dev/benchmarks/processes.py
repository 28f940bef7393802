"""What a program and all that it starts take, by what Linux tells of processes in `/proc`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

PROC = Path("/proc")

_SESSION, _USER, _SYSTEM, _RESIDENT = 3, 11, 12, 21
"""Places in a line of `stat`, from the state on."""


class Session:
    """The processes of a session, looked at now and then.

    What a process does after the last look at it is not seen.

    Attributes:
        memory: Most memory that they took together.
    """

    def __init__(self, number: int) -> None:
        """Look at none yet.

        Args:
            number: The session's, which is the PID of its first process.
        """
        self._number = number
        self._tick = os.sysconf("SC_CLK_TCK")
        self._page = os.sysconf("SC_PAGE_SIZE")
        self._cpu: dict[int, float] = {}
        self.memory = 0

    def look(self) -> None:
        """Look at all processes that there are now."""
        resident = 0
        for folder in PROC.iterdir():
            if not folder.name.isdigit():
                continue
            try:
                line = (folder / "stat").read_text()
            except (FileNotFoundError, ProcessLookupError):
                continue  # it has ended
            told = line.rpartition(")")[2].split()
            if int(told[_SESSION]) == self._number:
                ticks = int(told[_USER]) + int(told[_SYSTEM])
                self._cpu[int(folder.name)] = ticks / self._tick
                resident += int(told[_RESIDENT]) * self._page
        self.memory = max(self.memory, resident)

    def cpu(self, readers: Collection[int]) -> tuple[float, float]:
        """Tell the processor time of some processes, and that of all others.

        Args:
            readers: PIDs of these processes.

        Returns:
            Seconds of user and system time.
        """
        theirs = sum(seconds for pid, seconds in self._cpu.items() if pid in readers)
        return theirs, sum(self._cpu.values()) - theirs
