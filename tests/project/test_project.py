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
from click.testing import CliRunner
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from harness import a_run
from scripts import update_meltano
from tap_twilio.config import settings
from tap_twilio.config.schema import SCHEMA
from tap_twilio.streams import STREAMS

ROOT = Path(__file__).parents[2]


@pytest.fixture
def about(run):
    """What the tap says of itself."""
    return run.raw("--about", "--format=json").messages[0]


@pytest.fixture(scope="module")
def meltano():
    """Meltano's definition of the tap."""
    return plugins("extractors")[0]


def read(name):
    return yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))


def plugins(kind):
    return read("meltano.yml")["plugins"][kind]


ABOUT = ["--about", "--format=json"]

PRESETS = [pytest.param(extractor, id=extractor["name"]) for extractor in plugins("extractors")[1:]]


# --- Meltano -----------------------------------------------------------------------------------


def test_meltano_is_told_what_the_plugins_say():
    assert update_meltano.PROJECT.read_text() == update_meltano.project(
        update_meltano.PROJECT.read_text()
    )
    for plugin in update_meltano.PLUGINS:
        assert (ROOT / plugin.file).read_text() == plugin.definition()


@pytest.mark.parametrize("plugin", update_meltano.PLUGINS, ids=lambda plugin: plugin.kind)
@pytest.mark.parametrize("is_project", [True, False], ids=["project", "definition"])
def test_meltano_knows_every_setting_as_the_plugin_does(plugin, is_project):
    if is_project:
        name = plugin.presentation["name"]
        (definition,) = [one for one in plugins(f"{plugin.meltano_type}s") if one["name"] == name]
    else:
        definition = read(plugin.file)
    told = {setting["name"]: setting for setting in definition["settings"]}
    with a_run():
        about = json.loads(CliRunner().invoke(plugin.program.cli, ABOUT).stdout)
    properties = about["settings"]["properties"]
    assert told.keys() == properties.keys()
    for name, schema in properties.items():
        assert told[name]["label"] == schema["title"]
        assert told[name]["description"] == schema["description"]
        assert told[name].get("sensitive", False) == bool(schema.get("secret"))
        if told[name]["kind"] == "options":
            offered = {option["value"] for option in told[name]["options"]}
            assert offered == set(schema["enum"]) - {None}
        else:
            assert {"decimal": "number"}.get(told[name]["kind"], told[name]["kind"]) in schema[
                "type"
            ]
        if name in plugin.settings["properties"]:
            assert told[name].get("value") == schema.get("default")
    assert set(definition["capabilities"]) == set(about["capabilities"])


def test_meltano_knows_what_the_tap_can_do(about, meltano):
    assert set(meltano["capabilities"]) == set(about["capabilities"])


def test_each_kind_of_credentials_is_enough_for_the_tap(about, meltano):
    examples = {
        "account_sid": "AC" + "0" * 32,
        "auth_token": "t",
        "api_key_sid": "SK" + "0" * 32,
        "api_key_secret": "s",
        "client_id": "c",
        "client_secret": "s",
    }
    for group in meltano["settings_group_validation"]:
        settings.parse(
            {name: examples[name] for name in group},
            properties=about["settings"]["properties"],
            user_agent="test",
            now=settings.now_utc(),
        )


def test_meltano_selects_only_what_the_tap_would_too(meltano):
    by_default = {stream.name for stream in STREAMS if stream.selected_by_default}
    assert chosen(meltano) <= by_default


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_name_streams_that_there_are(preset):
    assert preset["inherit_from"] == "tap-twilio"
    assert chosen(preset) <= {stream.name for stream in STREAMS}
    assert len(chosen(preset)) == len(preset.get("select", ()))
    assert preset.get("config", {}).keys() <= {
        setting["name"] for setting in plugins("extractors")[0]["settings"]
    }


def chosen(extractor):
    patterns = extractor.get("select", ())
    assert all(pattern.endswith(".*") for pattern in patterns)
    return {pattern.removesuffix(".*") for pattern in patterns}


def test_meltano_needs_no_hub():
    for plugin in [*plugins("loaders"), *plugins("utilities")]:
        assert {"namespace", "executable", "pip_url"} <= plugin.keys()


def test_loaders_are_of_one_version():
    others = [loader for loader in plugins("loaders") if loader["name"] != "target-twilio"]
    for loader in others:
        for requirement in map(Requirement, loader["pip_url"].split()):
            assert [pin.operator for pin in requirement.specifier] == ["=="]


# What is scheduled is run in tests/doors/pipelines; here only that all of it is defined.
def test_meltano_schedules_jobs_of_plugins_that_there_are():
    project = read("meltano.yml")
    known = {plugin["name"] for kind in project["plugins"].values() for plugin in kind}
    jobs = {job["name"]: job for job in project["jobs"]}
    assert project["schedules"]
    for schedule in project["schedules"]:
        for task in jobs[schedule["job"]]["tasks"]:
            assert set(task.split()) <= known


# --- Files for newcomers and CI ----------------------------------------------------------------


def test_sample_config_makes_sense():
    text = (ROOT / "sample_config.json").read_text(encoding="utf-8")
    settings.parse(
        json.loads(text.replace("x" * 32, "0" * 32)),
        properties=SCHEMA["properties"],
        user_agent="test",
        now=settings.now_utc(),
    )


def test_env_example_names_settings():
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    named = [line.lstrip("# ").partition("=")[0] for line in lines if "TAP_TWILIO_" in line]
    known = {f"TAP_TWILIO_{name.upper()}" for name in SCHEMA["properties"]}
    assert named
    assert set(named) <= known


def test_ci_runs_what_everybody_runs():
    lines = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    commands = [line for line in lines if line and not line.startswith("#")]
    assert commands[-1] == "exec make test-all"


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
