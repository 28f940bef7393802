"""Environments of their own for tools whose pins contradict the tap's, as those of most do.

They are in the user's cache folder and named by what is in them: clones share them, and what was
installed once costs nothing again. uv installs them, from where pip is told to.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).resolve().parents[2]
CACHE: Final = (
    Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tap-twilio" / "environments"
)
DAYS_UNUSED: Final = 30
"""After so many days, an environment makes room for a newer one of the same name."""

_DIGITS: Final = 12
_DAY: Final = 24 * 60 * 60
_NAMES: Final = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "trusted-host": "UV_INSECURE_HOST",
    "cert": "SSL_CERT_FILE",
}
"""Settings of pip, with the variables by which uv has the same."""


class InstallError(Exception):
    """Something can't be installed; the message has the reason."""


def install(name: str, *requirements: str) -> Path:
    """Install packages into an environment of their own, unless that was done before.

    Args:
        name: What it is for.
        requirements: What to install: names with versions, no paths.

    Returns:
        The folder of its executables.

    Raises:
        InstallError: They can't be installed.
    """
    content = "\n".join([os.path.realpath(sys.executable), *requirements])
    folder = CACHE / f"{name}-{hashlib.sha256(content.encode()).hexdigest()[:_DIGITS]}"
    done = folder / "installed.txt"
    with _alone(folder):
        if done.exists():
            done.touch()
            return folder / "bin"
        told = as_pip_is_told()
        for command in (
            ["venv", "--clear", "--python", sys.executable, str(folder)],
            ["pip", "install", "--python", str(folder / "bin" / "python"), *requirements],
        ):
            result = subprocess.run(  # noqa: S603
                [uv(), "--quiet", *command], env=told, capture_output=True, text=True, check=False
            )
            if result.returncode:
                reason = " ".join(result.stderr.split()) or f"exit code {result.returncode}"
                msg = f"{name} can't be installed: {reason}"
                raise InstallError(msg)
        done.write_text(content)
    _drop_unused(name)
    return folder / "bin"


def uv() -> str:
    """Find uv: beside the running Python, or else on the path.

    Raises:
        InstallError: There is none.
    """
    path = os.pathsep.join([sysconfig.get_path("scripts"), os.environ.get("PATH", "")])
    found = shutil.which("uv", path=path)
    if found is None:
        msg = "uv is missing: make setup installs it"
        raise InstallError(msg)
    return found


def as_pip_is_told() -> dict[str, str]:
    """Give an environment in which uv asks the package indexes that pip is set up with.

    uv doesn't read pip's configuration. What is said to uv itself goes before.
    """
    command = [sys.executable, "-m", "pip", "config", "list"]
    said = subprocess.run(command, capture_output=True, text=True, check=False).stdout  # noqa: S603
    told = {}
    for scope in ("global", "install", ":env:"):
        for setting, value in re.findall(rf"^{scope}\.([\w-]+)='(.*)'$", said, re.MULTILINE):
            if setting in _NAMES:
                told[_NAMES[setting]] = value.replace("\\n", " ").strip()
    # As for pip, the best version counts, whichever index has it.
    return {"UV_INDEX_STRATEGY": "unsafe-best-match", **told, **os.environ}


def _drop_unused(name: str) -> None:
    for done in CACHE.glob(f"{name}-{'?' * _DIGITS}/installed.txt"):
        with _alone(done.parent):
            if done.exists() and time.time() - done.stat().st_mtime > DAYS_UNUSED * _DAY:
                shutil.rmtree(done.parent)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep other processes, such as those that run tests beside this one, from the same folder."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
