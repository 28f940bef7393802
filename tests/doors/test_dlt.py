"""The tests of Arrow batches and of the dlt source, in an environment of their own."""

from __future__ import annotations

import os
import subprocess
import sysconfig

import pytest

import environments
from environments.doors import DLT

pytestmark = [pytest.mark.door, pytest.mark.environment(*DLT)]


def test_arrow_and_dlt():
    folder = environments.install(*DLT)

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
