"""The Dockerfile, as far as it goes without Docker: what it copies makes a whole source."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.door

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def dockerfile():
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", "")
    return re.findall(r"^([A-Z]+) (.*)$", text, re.MULTILINE)


def values(dockerfile, instruction):
    return [value for name, value in dockerfile if name == instruction]


def test_what_is_copied_can_be_installed(dockerfile, tmp_path):
    folder = tmp_path / "build"
    folder.mkdir()
    for *sources, target in (value.split() for value in values(dockerfile, "COPY")):
        for source in sources:
            path = ROOT / source
            if path.is_dir():
                shutil.copytree(path, folder / target)
            else:
                shutil.copy(path, folder / target)
    (install,) = (value for value in values(dockerfile, "RUN") if "pip install" in value)
    assert "SETUPTOOLS_SCM_PRETEND_VERSION=$VERSION" in install
    assert (folder / re.search(r"-c (\S+)", install)[1]).exists()

    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--outdir", tmp_path, folder],
        env={**os.environ, "SETUPTOOLS_SCM_PRETEND_VERSION": "1.2.3"},
        capture_output=True,
        check=True,
    )

    (wheel,) = tmp_path.glob("*-1.2.3-*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert "tap_twilio/airbyte/source.py" in names
    assert "tap_twilio/schemas/api/calls.json" in names


def test_the_image_runs_the_executable_that_is_installed(dockerfile):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert "source-twilio" in project["project"]["scripts"]
    assert values(dockerfile, "ENTRYPOINT") == ['["source-twilio"]']
    assert "AIRBYTE_ENTRYPOINT=source-twilio" in values(dockerfile, "ENV")
