"""The tests of Arrow batches and of the dlt source, in an environment of their own."""

from __future__ import annotations

import os
import subprocess
import sysconfig
import tomllib

import pytest

import environments

PACKAGES = (
    "dlt[duckdb,parquet,postgres]==1.31.0",
    "pyarrow==26.0.1",
    "duckdb==2.0.0",
    "polars==2.1.0",
    "pandas==2.3.3",
    "aiohttp<4",
    "pytest<10",
)


def dependencies():
    """What `pip install .[arrow,dlt]` brings, besides the tap itself."""
    project = tomllib.loads((environments.ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    return [*project["dependencies"], *extras["arrow"], *extras["dlt"]]


ENVIRONMENT = ("dlt", *PACKAGES, *dependencies())

pytestmark = [pytest.mark.door, pytest.mark.environment(*ENVIRONMENT)]


def test_arrow_and_dlt():
    folder = environments.install(*ENVIRONMENT)

    result = subprocess.run(
        [
            str(folder / "python"),
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "tests/doors/dlt",
        ],
        cwd=environments.ROOT,
        env={
            **os.environ,
            # uv is there, which installs PostgreSQL.
            "PATH": os.pathsep.join([sysconfig.get_path("scripts"), os.environ["PATH"]]),
            "PYTHONPATH": os.pathsep.join([str(environments.ROOT), str(environments.ROOT / "dev")]),
        },
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.returncode == 0, result.stdout
