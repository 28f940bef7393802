"""What publishes the tap, before it does: workflows, forms and definitions of other projects."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import tomllib
from collections import defaultdict
from pathlib import Path

import pytest
import yaml

from scripts import update_airbyte, update_meltano

ROOT = Path(__file__).parents[2]
GITHUB = ROOT / ".github"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PYTHONS = update_meltano.pythons(PROJECT["classifiers"])
WORKFLOWS = {path.name: path for path in sorted((GITHUB / "workflows").iterdir())}
FORMS = sorted(path for path in (GITHUB / "ISSUE_TEMPLATE").iterdir() if path.stem != "config")

ACTION = re.compile(r"uses: ([\w-]+/[\w./-]+)@([0-9a-f]{40}) # v(\d+\.\d+\.\d+)")
COMMANDS = {"[", "docker", "echo", "exit", "gh", "git", "grep", "head", "ls", "make"}
"""What a runner has of itself, and workflows use."""

FIELDS = {"checkboxes", "dropdown", "input", "markdown", "textarea"}

HUB_REQUIRED = {"name", "namespace", "variant", "label", "quality"}
HUB_KINDS = {
    "capabilities": list,
    "commands": dict,
    "definition": str,
    "description": str,
    "docs": str,
    "domain_url": str,
    "executable": str,
    "hidden": bool,
    "keywords": list,
    "label": str,
    "log_parser": str,
    "logo_url": str,
    "maintenance_status": str,
    "metadata": dict,
    "name": str,
    "namespace": str,
    "next_steps": str,
    "pip_url": str,
    "prereq": str,
    "python": str,
    "quality": str,
    "repo": str,
    "requires": dict,
    "schema": dict,
    "select": list,
    "settings": list,
    "settings_group_validation": list,
    "settings_preamble": str,
    "supported_python_versions": list,
    "usage": str,
    "variant": str,
}
"""Keys of an extractor in the hub's schema, which allows no others, and what they hold."""

HUB_CHOICES = {
    "log_parser": {"singer-sdk"},
    "maintenance_status": {"active", "beta", "development", "inactive", "unknown"},
    "quality": {"gold", "silver", "bronze", "unknown"},
}
HUB_CAPABILITIES = {
    "about",
    "activate-version",
    "batch",
    "catalog",
    "discover",
    "log-based",
    "properties",
    "schema-flattening",
    "state",
    "stream-maps",
    "structured-logging",
    "test",
}
HUB_SETTING_KEYS = {
    "aliases",
    "description",
    "documentation",
    "kind",
    "label",
    "name",
    "options",
    "placeholder",
    "sensitive",
    "tooltip",
    "value",
}
HUB_SETTING_KINDS = {
    "array",
    "boolean",
    "date_iso8601",
    "decimal",
    "email",
    "file",
    "hidden",
    "integer",
    "oauth",
    "object",
    "options",
    "password",
    "string",
}


def load(path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))


@pytest.fixture(params=WORKFLOWS)
def workflow(request):
    """A workflow; YAML takes its key "on" for true."""
    return load(WORKFLOWS[request.param])


def steps(workflow):
    return [step for job in workflow["jobs"].values() for step in job.get("steps", ())]


def words(script):
    """The commands of a script, a list of words each."""
    lines = script.replace("\\\n", " ").splitlines()
    for line in lines:
        lexer = shlex.shlex(line, posix=True, punctuation_chars="();<>|&")
        lexer.whitespace_split = True
        command = []
        for word in [*lexer, ";"]:
            if set(word) <= set(";|&") and command:
                yield command
                command = []
            elif not set(word) <= set(";|&"):
                command.append(word)


def commands(workflow):
    """What workflows run, less the shell's own words."""
    for script in (step["run"] for step in steps(workflow) if "run" in step):
        for command in words(script):
            while command and command[0] in {"if", "then", "else", "fi", "{", "}"}:
                command.pop(0)
            if command and not re.match(r">|\w+=", command[0]):
                yield command


# --- Workflows ---------------------------------------------------------------------------------


def test_actions_are_pinned_by_hash_and_say_their_version():
    pins = defaultdict(set)
    for path in WORKFLOWS.values():
        for line in re.findall(r"^.*\buses: .*$", path.read_text(encoding="utf-8"), re.MULTILINE):
            if "uses: ./" in line:
                assert (ROOT / line.split("./")[1]).is_file()
                continue
            found = ACTION.search(line)
            assert found, f"{path.name}: {line.strip()}"
            pins[found[1]].add(found.groups()[1:])
    assert pins
    assert all(len(versions) == 1 for versions in pins.values()), "one version of each action"


def test_a_workflow_may_do_what_it_needs_to_and_no_more(workflow):
    assert workflow["permissions"] == {}
    for name, job in workflow["jobs"].items():
        assert job["permissions"], name
        assert "write-all" not in job["permissions"]
    for step in steps(workflow):
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False


def test_a_workflow_runs_once_at_a_time_and_ends(workflow):
    assert workflow["concurrency"]["group"]
    assert "cancel-in-progress" in workflow["concurrency"]
    for name, job in workflow["jobs"].items():
        assert "uses" in job or job["timeout-minutes"] <= 90, name


def test_concurrency_has_no_group_twice():
    # One that waits for another that it called would wait for ever.
    groups = [load(path)["concurrency"]["group"] for path in WORKFLOWS.values()]
    assert len(groups) == len(set(groups))


def test_what_a_workflow_runs_is_there(workflow):
    rules = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for command in commands(workflow):
        if command[0] == "make":
            assert set(command[1:]) <= set(rules), command
        elif "/" in command[0]:
            assert command[0] == ".venv/bin/python" or (ROOT / command[0]).is_file(), command
        else:
            assert command[0] in COMMANDS, command
        for word in command:
            if word.endswith((".py", ".toml")):
                assert (ROOT / word).is_file(), command


def test_what_a_workflow_runs_is_a_shell_script(workflow):
    for script in (step["run"] for step in steps(workflow) if "run" in step):
        assert "${{" not in script, "an expression could bring in commands: give it by env"
        checked = subprocess.run(
            ["bash", "-n"],  # noqa: S607
            input=script,
            capture_output=True,
            text=True,
            check=False,
        )
        assert checked.returncode == 0, checked.stderr


def test_workflows_that_wait_for_others_name_them(workflow):
    for job in workflow["jobs"].values():
        needs = job.get("needs", [])
        assert set([needs] if isinstance(needs, str) else needs) <= workflow["jobs"].keys()


def test_schedules_are_of_cron():
    found = [one for path in WORKFLOWS.values() for one in load(path)[True].get("schedule", ())]
    assert found
    for schedule in found:
        assert re.fullmatch(r"(\d+) (\d+) \* \* [0-6]", schedule["cron"])


def test_tests_run_with_each_python_that_the_tap_supports():
    jobs = load(WORKFLOWS["test.yml"])["jobs"]
    assert jobs["tests"]["strategy"]["matrix"]["python"] == PYTHONS
    for job in jobs.values():
        for step in job["steps"]:
            version = step.get("with", {}).get("python-version", PYTHONS[0])
            assert version in PYTHONS or version == "${{ matrix.python }}"


def test_the_oldest_dependencies_are_tried_with_the_oldest_python():
    steps = load(WORKFLOWS["test.yml"])["jobs"]["lowest"]["steps"]
    (version,) = (step["with"]["python-version"] for step in steps if "setup-python" in str(step))
    assert version == PYTHONS[0]
    assert PROJECT["requires-python"] == f">={PYTHONS[0]}"


def test_only_what_publishes_the_package_may_sign_in_for_it():
    jobs = load(WORKFLOWS["release.yml"])["jobs"]
    assert jobs["package"]["environment"] == "pypi"
    assert jobs["package"]["permissions"] == {"id-token": "write"}
    assert "run" not in str(jobs["package"]["steps"])
    assert [name for name, job in jobs.items() if "id-token" in job["permissions"]] == ["package"]


def test_a_release_is_tested_and_built_once():
    jobs = load(WORKFLOWS["release.yml"])["jobs"]
    assert jobs["build"]["needs"] == "tests"
    assert jobs["package"]["needs"] == jobs["image"]["needs"] == "build"
    built = [name for name, job in jobs.items() if "make dist" in str(job)]
    assert built == ["build"]
    assert "github.com" not in str(jobs)


def test_the_image_that_is_published_is_the_one_that_is_described():
    steps = load(WORKFLOWS["release.yml"])["jobs"]["image"]["steps"]
    (images,) = (step["with"]["images"] for step in steps if "images" in step.get("with", {}))
    repository = load(update_airbyte.METADATA)["data"]["dockerRepository"]
    assert images.split("/")[::2] == repository.split("/")[::2]


def test_dependabot_looks_after_what_nothing_else_renews():
    (update,) = load(GITHUB / "dependabot.yml")["updates"]
    assert update["package-ecosystem"] == "github-actions"
    renewed = [step.get("run", "") for step in steps(load(WORKFLOWS["renew.yml"]))]
    assert "make constraints base" in renewed


# --- Scripts, with stand-ins for the programs that they call ------------------------------------


@pytest.fixture
def step(tmp_path):
    """Run a workflow's step in a folder of its own; "called" there says what was called."""
    environment = {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}

    def run(workflow, number, **programs):
        for name, answer in programs.items():
            path = tmp_path / name
            path.write_text(f'#!/bin/sh\necho "{name} $*" >> called\n{answer}\n')
            path.chmod(0o755)
        (job,) = load(WORKFLOWS[workflow])["jobs"].values()
        found = [step for step in job["steps"] if "run" in step][number]
        texts = {name: str(value) for name, value in found.get("env", {}).items()}
        texts["GITHUB_OUTPUT"] = str(tmp_path / "output")
        subprocess.run(
            ["bash", "-e", "-c", found["run"]],  # noqa: S607
            cwd=tmp_path,
            env=environment | texts,
            check=True,
            capture_output=True,
        )
        called = tmp_path / "called"
        return called.read_text(encoding="utf-8").splitlines() if called.exists() else []

    return run


@pytest.mark.parametrize("differs", [True, False])
def test_a_difference_is_seen(step, tmp_path, differs):
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text("#!/bin/sh\necho '~ a field'; echo 'a reason' >&2; exit " + "01"[differs])
    python.chmod(0o755)

    step("twilio.yml", 1)

    assert (tmp_path / "differences.txt").read_text() == "~ a field\na reason\n"
    assert (tmp_path / "output").exists() == differs


@pytest.mark.parametrize(("known", "does"), [("", "create"), ("7", "edit 7")])
def test_a_difference_is_told_in_one_issue(step, tmp_path, known, does):
    (tmp_path / "differences.txt").write_text("~ a field\n")

    listed, told = step("twilio.yml", 2, gh=f'test "$2" != list || echo {known}')

    assert listed.startswith("gh issue list --search in:title The schemas differ from Twilio's")
    assert told.startswith(f"gh issue {does} ")
    assert told.endswith("--body-file issue.md")
    assert "```diff\n~ a field\n```" in (tmp_path / "issue.md").read_text()


def test_nothing_newer_is_no_pull_request(step):
    assert step("renew.yml", 1, git="exit 0", gh="exit 0") == ["git diff --quiet"]


@pytest.mark.parametrize("known", [0, 1])
def test_newer_dependencies_are_one_pull_request(step, known):
    called = step(
        "renew.yml",
        1,
        git='test "$1" != diff',
        gh=f'test "$2" != list || echo {known}',
    )

    assert "git push --force origin renew" in called
    assert ("gh pr create --head renew --fill" in called) == (known == 0)


# --- Forms -------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_issue_forms(path):
    form = load(path)
    assert (
        {"name", "description", "body"} <= form.keys() <= {"name", "description", "body", "labels"}
    )
    fields = [field for field in form["body"] if field["type"] != "markdown"]
    assert {field["type"] for field in form["body"]} <= FIELDS
    assert len({field["id"] for field in fields}) == len(fields)
    assert all(field["attributes"]["label"] for field in fields)
    assert any(field.get("validations", {}).get("required") for field in fields)


def test_commands_that_a_form_names_are_installed():
    text = " ".join(path.read_text(encoding="utf-8") for path in FORMS)
    named = set(re.findall(r"`([\w-]+) --version`", text))
    assert named == PROJECT["scripts"].keys()


# --- The package -------------------------------------------------------------------------------


def test_addresses_of_the_project_are_of_one_repository():
    urls = PROJECT["urls"]
    assert urls.keys() == {"Homepage", "Documentation", "Changelog", "Issues", "Source"}
    source = urls["Source"]
    assert re.fullmatch(r"https://github\.com/[\w-]+/tap-twilio", source)
    owner, name = source.split("/")[-2:]
    assert urls["Homepage"] == source
    assert urls["Issues"] == f"{source}/issues"
    assert urls["Documentation"] == f"https://{owner}.github.io/{name}/"
    assert (ROOT / urls["Changelog"].removeprefix(f"{source}/blob/main/")).is_file()


def test_no_other_file_that_people_edit_names_the_repository():
    owner = PROJECT["urls"]["Source"].split("/")[-2]
    written = {update_meltano.HUB, update_airbyte.METADATA, ROOT / "pyproject.toml"}
    texts = [*GITHUB.rglob("*.yml"), ROOT / "Dockerfile", ROOT / "Makefile", *ROOT.glob("*.yml")]
    for path in {*texts} - written:
        assert f"/{owner}/tap-twilio" not in path.read_text(encoding="utf-8"), path


# --- MeltanoHub --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def hub():
    return load(update_meltano.HUB)


def test_the_hub_is_told_what_the_tap_says():
    assert update_meltano.HUB.read_text(encoding="utf-8") == update_meltano.hub()


def test_the_hub_knows_every_key_and_its_kind(hub):
    assert hub.keys() >= HUB_REQUIRED
    for key, value in hub.items():
        assert isinstance(value, HUB_KINDS[key]), key
        assert key not in HUB_CHOICES or value in HUB_CHOICES[key], key
    assert set(hub["capabilities"]) <= HUB_CAPABILITIES
    assert hub["supported_python_versions"] == PYTHONS


def test_the_hub_knows_every_key_of_a_setting(hub):
    names = [setting["name"] for setting in hub["settings"]]
    assert len(set(names)) == len(names)
    for setting in hub["settings"]:
        assert {"name"} <= setting.keys() <= HUB_SETTING_KEYS, setting["name"]
        assert setting["kind"] in HUB_SETTING_KINDS, setting["name"]
        assert ("options" in setting) == (setting["kind"] == "options"), setting["name"]
        assert setting["kind"] != "password" or setting["sensitive"], setting["name"]
        for option in setting.get("options", ()):
            assert option.keys() == {"label", "value"}
    for group in hub["settings_group_validation"]:
        assert set(group) <= set(names)


def test_the_hub_installs_the_package(hub):
    assert hub["pip_url"] == PROJECT["name"]
    assert hub["executable"] in PROJECT["scripts"]
    assert hub["maintenance_status"] in PROJECT["classifiers"][0].lower()


# --- Airbyte -----------------------------------------------------------------------------------


def test_airbyte_is_told_what_the_project_says():
    assert update_airbyte.METADATA.read_text(encoding="utf-8") == update_airbyte.metadata()


def test_airbytes_metadata_are_of_this_project():
    data = load(update_airbyte.METADATA)["data"]
    assert data["license"] == PROJECT["license"]
    assert data["documentationUrl"] == PROJECT["urls"]["Documentation"]
    assert data["dockerRepository"] == data["dockerRepository"].lower()
    assert not any(registry["enabled"] for registry in data["registries"].values())


def test_airbytes_acceptance_tests_are_of_the_image_that_make_builds():
    config = load(ROOT / "publishing" / "airbyte" / "acceptance-test-config.yml")
    image, _, tag = config["connector_image"].partition(":")
    assert (f"docker build --tag {image} ") in (ROOT / "Makefile").read_text()
    assert tag == "latest"
    for kind, tests in config["acceptance_tests"].items():
        assert kind in {"spec", "connection", "discovery", "basic_read"}
        for test in tests["tests"]:
            assert test["config_path"].startswith("secrets/")
