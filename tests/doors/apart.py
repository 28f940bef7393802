"""Tests that run in an environment of their own, as an extra of the tap brings much."""

from __future__ import annotations

import os
import subprocess
import sysconfig

import environments


def assert_passed(tests: str, environment: tuple[str, ...], **variables: str) -> None:
    """Run the tests of a folder there."""
    folder = environments.install(*environment)
    result = subprocess.run(
        [str(folder / "python"), "-m", "pytest", "-q", "-p", "no:cacheprovider", tests],
        cwd=environments.ROOT,
        env={
            **os.environ,
            # uv is there, which installs PostgreSQL.
            "PATH": os.pathsep.join([sysconfig.get_path("scripts"), os.environ["PATH"]]),
            "PYTHONPATH": os.pathsep.join([str(environments.ROOT), str(environments.ROOT / "dev")]),
            **variables,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout
