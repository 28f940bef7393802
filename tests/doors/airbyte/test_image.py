"""The Dockerfile, as far as it goes without Docker: what it installs is a whole source."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tomllib
from email.parser import Parser
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from environments import as_pip_is_told, uv
from scripts.update_meltano import pythons

pytestmark = pytest.mark.door

ROOT = Path(__file__).parents[3]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
DIGEST = "sha256:" + "a1" * 32
DOCKER = f"""#!/bin/sh
test "$1 $2 $3" = "buildx imagetools inspect" && echo "$4" >> asked && echo {DIGEST}
"""


@pytest.fixture(scope="module")
def dockerfile():
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", "")
    return re.findall(r"^([A-Z]+) (.*)$", text, re.MULTILINE)


@pytest.fixture(scope="module")
def pins():
    """What the image installs by requirements.txt: versions and hashes, by name."""
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8").replace("\\\n", "")
    found = {}
    for line in text.splitlines():
        requirement, *hashes = line.split(" --hash=")
        pin = Requirement(requirement)
        found[canonicalize_name(pin.name)] = pin, [one.strip() for one in hashes]
    return found


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [uv(), "build", "--quiet", "--wheel", "--out-dir", folder, ROOT],
        env=as_pip_is_told(),
        check=True,
    )
    (path,) = folder.glob("*.whl")
    return path


def values(dockerfile, instruction):
    return [value for name, value in dockerfile if name == instruction]


def versions(path):
    lines = (ROOT / path).read_text(encoding="utf-8").splitlines()
    return {canonicalize_name(pin.name): str(pin.specifier) for pin in map(Requirement, lines)}


def test_the_base_is_of_one_minor_version_that_the_tap_supports(dockerfile):
    (base,) = values(dockerfile, "FROM")
    assert re.fullmatch(r"python:3\.\d+-slim-[a-z]+(@sha256:[0-9a-f]{64})?", base)
    assert base.removeprefix("python:").partition("-")[0] in pythons(PROJECT["classifiers"])


def test_what_is_copied_is_all_that_docker_sees(dockerfile):
    (copy,) = values(dockerfile, "COPY")
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    ignored = [line for line in lines if not line.startswith("#")]
    assert ignored[0] == "*"
    assert {line.removeprefix("!") for line in ignored[1:]} == set(copy.split()[:-1])
    assert (ROOT / "requirements.txt").is_file()


def test_nothing_is_installed_without_a_hash(dockerfile, pins):
    (run,) = values(dockerfile, "RUN")
    installs = [command for command in run.split("&&") if "pip install" in command]
    (dependencies,) = (command for command in installs if "--require-hashes" in command)
    assert "/requirements.txt" in dependencies
    (own,) = (command for command in installs if command is not dependencies)
    assert {"--no-index", "--no-deps"} <= set(own.split())
    assert own.rstrip().endswith("/*.whl")
    for pin, hashes in pins.values():
        assert hashes, pin
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", one) for one in hashes), pin


def test_requirements_are_what_the_wheel_needs(wheel, pins):
    with ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        needed = Parser().parsestr(archive.read(name).decode()).get_all("Requires-Dist")
    image = {"python_version": "3.13", "extra": ""}
    for requirement in map(Requirement, needed):
        if requirement.marker is None or requirement.marker.evaluate(image):
            pin, _ = pins[canonicalize_name(requirement.name)]
            (only,) = pin.specifier
            assert only.operator == "=="
            assert requirement.specifier.contains(only.version), requirement


def test_requirements_are_the_versions_that_everything_is_tested_with(pins):
    tested = versions("constraints.txt")
    assert {name: str(pin.specifier) for name, (pin, _) in pins.items()}.items() <= tested.items()


def test_the_image_runs_the_executable_that_the_wheel_has(dockerfile, wheel):
    with ZipFile(wheel) as archive:
        names = archive.namelist()
        (scripts,) = (name for name in names if name.endswith(".dist-info/entry_points.txt"))
        assert "source-twilio = " in archive.read(scripts).decode()
    assert "tap_twilio/schemas/api/calls.json" in names
    assert values(dockerfile, "ENTRYPOINT") == ['["source-twilio"]']
    assert values(dockerfile, "ENV") == ["AIRBYTE_ENTRYPOINT=source-twilio"]
    assert values(dockerfile, "USER") == ["airbyte"]


def test_the_image_says_what_it_is(dockerfile):
    (label,) = values(dockerfile, "LABEL")
    labels = dict(part.split("=", 1) for part in label.split())
    assert labels["io.airbyte.name"] == "source-twilio"
    assert labels["io.airbyte.version"] == labels["org.opencontainers.image.version"] == "$VERSION"
    assert labels["org.opencontainers.image.licenses"] == PROJECT["license"]
    assert values(dockerfile, "ARG") == ["VERSION"]


def test_the_base_is_pinned_and_pinned_anew(tmp_path):
    for name in ("Makefile", "Dockerfile"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "docker").write_text(DOCKER)
    (tmp_path / "docker").chmod(0o755)
    before = (tmp_path / "Dockerfile").read_text()
    environment = os.environ | {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}

    for _ in range(2):
        command = ["make", "base"]
        subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True)

    base = re.search(r"^FROM ([^@\n]+)", before, re.MULTILINE)[1]
    assert (tmp_path / "asked").read_text().split() == [base] * 2
    after = (tmp_path / "Dockerfile").read_text()
    assert f"FROM {base}@{DIGEST}\n" in after
    assert [line for line in after.splitlines() if not line.startswith("FROM")] == [
        line for line in before.splitlines() if not line.startswith("FROM")
    ]
