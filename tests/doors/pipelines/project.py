"""The repository's Meltano project, run by a Meltano in an environment of its own."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tomllib
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import yaml

from environments import ROOT, as_pip_is_told, install

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

PACKAGE = "meltano==4.4.1"
# The README's recipes begin beside it.
FOLDER = ROOT / ".cache" / "meltano" / "tap-twilio"
LOCK = ROOT / ".cache" / "meltano.lock"
PLUGINS = (
    "tap-twilio",
    "target-jsonl",
    "target-csv",
    "target-postgres",
    "target-duckdb",
    "target-twilio",
)
# Neither this environment nor what its users set for themselves is a pipeline's business.
FOREIGN = ("COVERAGE_", "COV_", "PYTHON", "VIRTUAL_ENV", "TAP_", "TARGET_", "MELTANO_", "PG")


@dataclass(frozen=True)
class Project:
    """A stand-in for a fresh clone, with a state of its own.

    Attributes:
        folder: Where it is.
        environment: What its programs find in their environment.
    """

    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    def database(self, folder: Path) -> str:
        """Make a database that knows of no run, and give its address."""
        # As the installation left it: Meltano would take a while to make its tables.
        path = shutil.copy(self.folder / ".meltano" / "meltano.db", folder)
        return f"sqlite:///{path}"

    def meltano(self, *arguments: str, **environment: str) -> str:
        """Run Meltano to its end, and give its log."""
        return ended(self.start(*arguments, **environment))

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """Start Meltano."""
        return subprocess.Popen(
            ["meltano", *arguments],  # noqa: S607
            cwd=self.folder,
            env={**self.environment, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )


def ended(process: subprocess.Popen[str]) -> str:
    """Wait for a process that must succeed, and give what it said."""
    said, _ = process.communicate(timeout=300)
    assert process.returncode == 0, f"{process.args}\n{said}"
    return said


@contextmanager
def checkout() -> Iterator[Project]:
    """Give the stand-in for a fresh clone, with the plugins installed; nobody else has it then."""
    FOLDER.parent.mkdir(parents=True, exist_ok=True)
    with LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _link()
        project = Project(FOLDER, clean_environment())
        needed = _needed()
        done = FOLDER / ".meltano" / "installed.txt"
        if not done.exists() or done.read_text() != needed:
            project.meltano("install", *PLUGINS)
            done.write_text(needed)
        yield project


def clean_environment() -> dict[str, str]:
    """Give an environment with Meltano in its path, and with nothing that steers pipelines."""
    meltano = install("meltano", PACKAGE)
    told = as_pip_is_told()  # uv, with which Meltano installs, doesn't ask pip
    kept = {name: value for name, value in told.items() if not name.startswith(FOREIGN)}
    return kept | {"PATH": f"{meltano}{os.pathsep}{os.environ['PATH']}"}


def _link() -> None:
    FOLDER.mkdir(exist_ok=True)
    for path in FOLDER.iterdir():
        if path.is_symlink() or path.is_file():
            path.unlink()
        elif path.name != ".meltano":
            shutil.rmtree(path)
    for path in ROOT.iterdir():
        if path.name not in {".cache", ".env", ".meltano", ".venv", "output", "meltano.yml"}:
            (FOLDER / path.name).symlink_to(path)
    # Meltano accepts no link here.
    shutil.copy(ROOT / "meltano.yml", FOLDER)
    (FOLDER / "output").mkdir()


def _needed() -> str:
    """Tell what the plugins' environments are made of."""
    plugins = yaml.safe_load((ROOT / "meltano.yml").read_text())["plugins"]
    tap = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    sources = [entry.get("pip_url", "") for kind in plugins.values() for entry in kind]
    return "\n".join([PACKAGE, *sources, *tap["dependencies"], *tap["scripts"]])
