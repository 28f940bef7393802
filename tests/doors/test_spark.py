"""The tests of the Spark data source, in an environment of its own: it brings half a gigabyte."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from environments.doors import SPARK
from tests.doors.apart import assert_passed

JAVA = 17

JAVA_TOOL_OPTIONS = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
"""For programs that end before it pays to compile them well."""


def java() -> str | None:
    """What is wrong with the Java at hand, if anything."""
    home = os.environ.get("JAVA_HOME")
    command = shutil.which(Path(home) / "bin" / "java" if home else "java")
    if command is None:
        return f"Spark needs Java {JAVA}, and there is none: install one, or set JAVA_HOME"
    told = subprocess.run([command, "-version"], capture_output=True, text=True, check=False)
    version = re.search(r'version "(\d+)', told.stderr)
    if version is None or int(version[1]) < JAVA:
        return f"Spark needs Java {JAVA}, and {command} is older: set JAVA_HOME"
    return None


pytestmark = [pytest.mark.door, pytest.mark.environment(*SPARK)]


def test_spark():
    if problem := java():
        pytest.skip(problem)
    assert_passed("tests/doors/spark", SPARK, JAVA_TOOL_OPTIONS=JAVA_TOOL_OPTIONS)
