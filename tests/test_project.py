"""What lies around the tap agrees with it, and can go to any machine."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tap_twilio import settings
from tap_twilio.streams import STREAMS

ROOT = Path(__file__).parent.parent
KINDS = {
    "array": "array",
    "boolean": "boolean",
    "integer": "integer",
    "number": "decimal",
    "object": "object",
    "string": "string",
}


@pytest.fixture
def about(run):
    """What the tap says of itself."""
    return run.raw("--about", "--format=json").messages[0]


@pytest.fixture(scope="module")
def meltano():
    """Meltano's definition of the tap."""
    (extractor,) = plugins("extractors")
    return extractor


def plugins(kind):
    return yaml.safe_load((ROOT / "meltano.yml").read_text(encoding="utf-8"))["plugins"][kind]


def kind_of(schema):
    if "enum" in schema:
        return "options"
    (only,) = set(schema["type"]) - {"null"}
    return KINDS[only]


# --- Meltano -----------------------------------------------------------------------------------


def test_meltano_knows_every_setting_as_the_tap_does(about, meltano):
    assert {
        setting["name"]: (setting["kind"], setting.get("sensitive", False))
        for setting in meltano["settings"]
    } == {
        name: (kind_of(schema), bool(schema.get("secret")))
        for name, schema in about["settings"]["properties"].items()
    }


def test_meltano_describes_settings_in_the_taps_words(about, meltano):
    assert {
        setting["name"]: (setting["label"], setting["description"])
        for setting in meltano["settings"]
    } == {
        name: (schema["title"], schema["description"])
        for name, schema in about["settings"]["properties"].items()
    }


def test_meltano_offers_the_values_that_the_tap_allows(about, meltano):
    for setting in meltano["settings"]:
        if setting["kind"] == "options":
            allowed = about["settings"]["properties"][setting["name"]]["enum"]
            offered = {option["value"] for option in setting["options"]}
            assert offered == set(allowed) - {None}


def test_meltano_knows_what_the_tap_can_do(about, meltano):
    assert set(meltano["capabilities"]) == set(about["capabilities"])


def test_meltano_asks_for_either_kind_of_credentials(meltano):
    names = {setting["name"] for setting in meltano["settings"]}
    for group in meltano["settings_group_validation"]:
        assert "account_sid" in group
        assert set(group) <= names


def test_meltano_selects_only_what_the_tap_would_too(meltano):
    by_default = {stream.name for stream in STREAMS if stream.selected_by_default}
    chosen = {pattern.removesuffix(".*") for pattern in meltano["select"]}
    assert chosen <= by_default


def test_meltano_needs_no_hub():
    for loader in plugins("loaders"):
        assert re.fullmatch(r"[a-z-]+==[0-9.]+", loader["pip_url"])
        assert {"namespace", "executable", "settings"} <= loader.keys()


# --- Files for newcomers and CI ----------------------------------------------------------------


def test_sample_config_makes_sense():
    sample = json.loads((ROOT / "sample_config.json").read_text(encoding="utf-8"))
    settings.parse(
        sample,
        properties=settings.SCHEMA["properties"],
        user_agent="test",
        now=settings.now_utc(),
    )


def test_env_example_names_settings():
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    named = [line.lstrip("# ").partition("=")[0] for line in lines if "TAP_TWILIO_" in line]
    known = {f"TAP_TWILIO_{name.upper()}" for name in settings.SCHEMA["properties"]}
    assert named
    assert set(named) <= known


def test_ci_runs_what_everybody_runs():
    lines = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    commands = [line for line in lines if line and not line.startswith("#")]
    assert commands[-1] == "exec make test"


def test_constraints_fit_all_that_is_asked_for():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    asked = list(project["project"]["dependencies"])
    for group in project["dependency-groups"].values():
        asked += [entry for entry in group if isinstance(entry, str)]
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [Requirement(line) for line in lines]
    pinned = {canonicalize_name(pin.name): str(pin.specifier) for pin in pins}
    assert all(version.startswith("==") for version in pinned.values())
    for requirement in map(Requirement, asked):
        name = canonicalize_name(requirement.name)
        if name in pinned:
            assert requirement.specifier.contains(pinned[name].removeprefix("==")), name
        else:
            assert requirement.marker, f"{name} is not in constraints.txt: make constraints"


# --- Any machine -------------------------------------------------------------------------------


def tracked_texts():
    try:
        listing = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],  # noqa: S607
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    except (FileNotFoundError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    for name in filter(None, listing.split("\0")):
        path = ROOT / name
        if path.is_file():
            yield name, path.read_text(encoding="utf-8", errors="replace")


def registry_hosts():
    """The hosts from which pip installs here, its own default among them."""
    index = pytest.importorskip("pip._internal.models.index").PyPI
    command = [sys.executable, "-m", "pip", "config", "list"]
    config = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    urls = re.findall(r"https?://[^\s'\"]+", config)
    hosts = {urlsplit(url).hostname for url in urls} | {index.netloc, index.file_storage_domain}
    return {host for host in hosts if host and host != "localhost"}


def test_no_file_names_a_package_registry():
    hosts = registry_hosts()
    for name, text in tracked_texts():
        assert not [host for host in hosts if host in text], name


def test_no_file_names_a_place_of_one_machine():
    places = {str(ROOT), str(Path.home()), sys.prefix}
    if ROOT.parent not in {Path("/"), Path(tempfile.gettempdir()), Path.home().parent}:
        places.add(str(ROOT.parent))
    own = "|".join(re.escape(place) for place in places)
    pattern = re.compile(rf"(?<![\w.$}}-])(?:{own}|/(?:home|Users)/[\w.-]+)(?=/)")
    for name, text in tracked_texts():
        assert not pattern.search(text), f"{name}: {pattern.search(text)}"
