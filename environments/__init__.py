"""Environments of their own for tools whose pins contradict the tap's, as those of most do."""

from __future__ import annotations

import fcntl
import subprocess
import venv
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache" / "environments"


class InstallError(Exception):
    """Something can't be installed; the message is pip's last line."""


def install(name: str, *requirements: str) -> Path:
    """Install packages into an environment of their own, unless that was done before.

    Args:
        name: The environment's name.
        requirements: What to install, as pip takes it.

    Returns:
        The folder of its executables.

    Raises:
        InstallError: pip failed.
    """
    folder = CACHE / name
    content = "\n".join(requirements)
    done = folder / "installed.txt"
    with _alone(name):
        if not done.exists() or done.read_text() != content:
            venv.create(folder, with_pip=True, clear=True)
            pip = [str(folder / "bin" / "python"), "-m", "pip", "--disable-pip-version-check"]
            result = subprocess.run(  # noqa: S603
                [*pip, "install", "--quiet", *requirements],
                capture_output=True,
                text=True,
                check=False,
                cwd=ROOT,
            )
            if result.returncode:
                reason = (result.stderr.strip().splitlines() or ["pip failed"])[-1]
                msg = f"{name} can't be installed: {reason}"
                raise InstallError(msg)
            done.write_text(content)
    return folder / "bin"


@contextmanager
def _alone(name: str) -> Iterator[None]:
    """Keep other processes, such as those that run tests beside this one, from the same folder."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
