"""The source beside the real things: PyAirbyte, airbyte-cdk's standard tests, Airbyte's models."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import environments
from environments.doors import AIRBYTE, PYAIRBYTE_RUNS
from harness import STREAMS_BY_NAME, config_for, truth
from tests.doors.airbyte.harness import catalog

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "airbyte.md"
ACCEPTANCE = ROOT / "publishing" / "airbyte" / "acceptance-test-config.yml"
HERE = Path(__file__).parent / "outside"
SOURCE = Path(sys.executable).parent / "source-twilio"
WRONG = "mistyped-token-value"

pytestmark = [pytest.mark.door, pytest.mark.environment(*AIRBYTE)]


@pytest.fixture(scope="module")
def python():
    """The interpreter of an environment that has Airbyte's packages, and nothing of ours."""
    return environments.install(*AIRBYTE) / "python"


def run(python, *arguments, text=None, folder=None, **variables):
    ours = ("COVERAGE_", "COV_", "PYTEST_", "PYTHONPATH", "TAP_TWILIO_", "VIRTUAL_ENV")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    environment |= {
        "SOURCE": str(SOURCE),
        "DO_NOT_TRACK": "1",
        "AIRBYTE_OFFLINE_MODE": "1",
        **variables,
    }
    done = subprocess.run(
        [str(python), *map(str, arguments)],
        input=text,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


def test_every_message_is_one_of_the_protocol(python, source, sandbox):
    twilio = sandbox(volumes={"calls": 50, "messages": 50})
    config = config_for(twilio, max_retries=0)
    lines = [
        *source("spec").lines,
        *source("check", config=config).lines,
        *source("check", config={}).lines,
        *source("discover", config=config).lines,
        *source.read(config, ["calls", "call_recordings", "incoming_phone_numbers"]).lines,
    ]
    lines += source.read(config | {"accounts": ["nobody"]}, ["calls"]).lines

    counts = json.loads(run(python, HERE / "parse.py", text="\n".join(lines)))

    assert sum(counts.values()) == len(lines)
    assert counts["SPEC"] == counts["CATALOG"] == 1
    assert counts["CONNECTION_STATUS"] == 2
    assert counts["RECORD"] > 50
    assert {"LOG", "STATE", "TRACE"} <= counts.keys()


def test_airbytes_standard_tests_pass(python, tmp_path, small):
    folder = tmp_path / "source-twilio"
    shutil.copytree(HERE / "standards", folder)
    shutil.copy(ACCEPTANCE, folder)
    secrets = folder / "secrets"
    secrets.mkdir()
    modes = dict.fromkeys(["calls", "call_recordings", "messages", "balance"], "full_refresh")
    for name, content in {
        "config": config_for(small),
        "read": config_for(small),
        "wrong": config_for(small, auth_token=WRONG),
        "catalog": catalog(modes),
    }.items():
        (secrets / f"{name}.json").write_text(json.dumps(content))

    warnings = "error::airbyte_cdk.test.standard_tests.DiscoveredCatalogWarning"
    plugins = ["-p", "airbyte_cdk.test.standard_tests.pytest_hooks", "-p", "no:cacheprovider"]
    options = ["-q", *plugins, "-W", warnings, "-m", "not image_tests"]
    said = run(python, "-m", "pytest", *options, folder / "suite.py", folder=folder)

    assert "7 passed" in said


@pytest.mark.skipif(not PYAIRBYTE_RUNS, reason="PyAirbyte needs Python before 3.13")
def test_pyairbyte_keeps_fields_that_no_schema_has(python, tmp_path, sandbox):
    twilio = sandbox(volumes={"calls": 8, "messages": 0}, subaccounts=0)
    for row in truth(twilio, STREAMS_BY_NAME["calls"])[:3]:
        twilio.patch(row["sid"], mood={"a": 1}, tint="red")
    (tmp_path / "config.json").write_text(json.dumps(config_for(twilio)))

    said = run(python, HERE / "additional.py", SOURCE, folder=tmp_path)

    (line,) = (line for line in said.splitlines() if line.startswith("OUTCOME "))
    values = json.loads(line.removeprefix("OUTCOME "))
    assert [json.loads(value) for value in values] == [{"mood": {"a": 1}, "tint": "red"}] * 3


@pytest.mark.skipif(not PYAIRBYTE_RUNS, reason="PyAirbyte needs Python before 3.13")
def test_pyairbyte_reads_twice_as_the_page_says(python, tmp_path, small):
    config = config_for(small, lookback_days=0)
    sandbox = config.pop("base_url")
    for name, content in {
        "first": config | {"end_date": "P10D"},
        "second": config,
        "wrong": config | {"auth_token": WRONG},
    }.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(content))
    recipes = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    (recipe,) = (recipe for recipe in recipes if "import airbyte" in recipe)
    (tmp_path / "recipe.py").write_text(recipe)
    executable = tmp_path / "tap" / "bin" / SOURCE.name
    executable.parent.mkdir(parents=True)
    executable.symlink_to(SOURCE)

    said = run(
        python,
        HERE / "pyairbyte.py",
        "recipe.py",
        folder=tmp_path,
        TAP_TWILIO_BASE_URL=sandbox,
    )

    first, second, wrong = (
        json.loads(line.removeprefix("OUTCOME "))
        for line in said.splitlines()
        if line.startswith("OUTCOME ")
    )
    for name, sids in second["sids"].items():
        everything = {row["sid"] for row in truth(small, STREAMS_BY_NAME[name])}
        assert len(set(sids)) == len(sids)
        assert set(first["sids"][name]) <= set(sids) <= everything
    assert first["sids"]["calls"]
    assert 0 < second["processed"] < len(second["sids"]["calls"])
    assert "completed" in said
    assert "Twilio refused to sign in" in wrong["error"]
    assert WRONG not in said
