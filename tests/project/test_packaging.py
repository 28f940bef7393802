"""What users install is what is here: built, installed and run from elsewhere."""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

from environments import as_pip_is_told, uv

pytestmark = pytest.mark.door

ROOT = Path(__file__).parents[2]
BIN = "Scripts" if sys.platform == "win32" else "bin"
# Fixtures are shared within one process, and building once is enough.


def run(*command: str | Path, folder: Path) -> str:
    # What coverage and this environment add would hide what an installation lacks.
    ours = ("COVERAGE_", "COV_", "PYTHONPATH", "VIRTUAL_ENV", "TAP_TWILIO_", "TARGET_TWILIO_")
    told = as_pip_is_told()
    environment = {name: value for name, value in told.items() if not name.startswith(ours)}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The sdist, and the wheel that is made from it."""
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "build", "--installer=uv"]
    run(*build, "--outdir", folder, ROOT, folder=folder)
    (sdist,) = folder.glob("*.tar.gz")
    (wheel,) = folder.glob("*.whl")
    return {"sdist": sdist, "wheel": wheel}


@pytest.fixture(scope="module", params=["wheel", "sdist"])
def installed(
    request: pytest.FixtureRequest,
    distributions: dict[str, Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """The executables' folder of an environment that has this distribution and no checkout."""
    folder = tmp_path_factory.mktemp(request.param)
    bin_folder = folder / "venv" / BIN
    run(uv(), "venv", "--python", sys.executable, folder / "venv", folder=folder)
    install = [uv(), "pip", "install", "--python", bin_folder / "python"]
    constraints = ROOT / "constraints.txt"
    run(*install, "-c", constraints, distributions[request.param], folder=folder)
    return bin_folder


def schemas() -> set[str]:
    found = {path.relative_to(ROOT).as_posix() for path in (ROOT / "schemas").rglob("*.json")}
    assert found
    return found


def test_wheel_holds_the_package_with_its_schemas_and_nothing_else(distributions):
    names = zipfile.ZipFile(distributions["wheel"]).namelist()
    assert {f"tap_twilio/{name}" for name in schemas()} <= set(names)
    assert {"tap_twilio/py.typed", "target_twilio/py.typed"} <= set(names)
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {
        "tap_twilio",
        "tap_twilio_streams",
        "target_twilio",
    }


def test_sdist_holds_what_the_wheel_is_made_of(distributions):
    with tarfile.open(distributions["sdist"]) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert schemas() | {"LICENSE", "README.md", "CHANGELOG.md", "pyproject.toml"} <= names
    assert not any(name.startswith(("tests", "sandbox", "demo", "scripts")) for name in names)


def test_installation_tells_its_version(installed, distributions, tmp_path):
    version = distributions["wheel"].name.split("-")[1]
    for command in ([installed / "tap-twilio"], [installed / "python", "-m", "tap_twilio"]):
        said = run(*command, "--version", folder=tmp_path)
        assert said.startswith(f"tap-twilio v{version},")


def test_installation_tells_its_settings(installed, tmp_path):
    about = json.loads(run(installed / "tap-twilio", "--about", "--format=json", folder=tmp_path))
    assert "account_sid" in about["settings"]["properties"]


def test_installation_is_a_target_too(installed, distributions, tmp_path):
    version = distributions["wheel"].name.split("-")[1]
    for command in ([installed / "target-twilio"], [installed / "python", "-m", "target_twilio"]):
        said = run(*command, "--version", folder=tmp_path)
        assert said.startswith(f"target-twilio v{version},")
    about = json.loads(
        run(installed / "target-twilio", "--about", "--format=json", folder=tmp_path)
    )
    assert "ledger_path" in about["settings"]["properties"]


def test_installation_is_an_airbyte_source_too(installed, tmp_path):
    message = json.loads(run(installed / "source-twilio", "spec", folder=tmp_path))
    assert "account_sid" in message["spec"]["connectionSpecification"]["properties"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert message["spec"]["documentationUrl"] == project["urls"]["Documentation"]


def test_installation_finds_its_schemas(installed, tmp_path):
    catalog = json.loads(run(installed / "tap-twilio", "--discover", folder=tmp_path))
    assert len(catalog["streams"]) == len(schemas())
    (calls,) = [stream for stream in catalog["streams"] if stream["tap_stream_id"] == "calls"]
    assert "duration" in calls["schema"]["properties"]
