"""The tap piped into real targets, and the real dbt over what they stored."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from demo import models
from environments import ROOT, install
from harness import config_for

if TYPE_CHECKING:
    from sandbox import Sandbox

PROJECT = ROOT / "transform"
PLUGINS = yaml.safe_load((ROOT / "meltano.yml").read_text())["plugins"]
DBT = ("dbt-duckdb", *models.REQUIREMENTS)


def plugin(kind: str, name: str) -> dict[str, Any]:
    """Give what meltano.yml says of a plugin."""
    (found,) = [entry for entry in PLUGINS[kind] if entry["name"] == name]
    return found


def environment(kind: str, name: str) -> tuple[str, ...]:
    """Tell what a plugin is installed as, and from what."""
    return name, *plugin(kind, name)["pip_url"].split()


def installed(kind: str, name: str) -> Path:
    """Install a plugin as meltano.yml says, and give its executable."""
    executable: str = plugin(kind, name)["executable"]
    return install(*environment(kind, name)) / executable


def load(twilio: Sandbox, target: str, config: dict[str, Any], folder: Path) -> None:
    """Run the tap into a target, from where the last run ended."""
    files = {"tap": config_for(twilio), "target": config}
    for name, content in files.items():
        (folder / f"{name}.json").write_text(json.dumps(content))
    state = folder / "state.json"
    tap = [Path(sys.executable).with_name("tap-twilio"), f"--config={folder / 'tap.json'}"]
    if state.exists():
        tap.append(f"--state={state}")
    with subprocess.Popen(tap, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as source:
        done = subprocess.run(
            [installed("loaders", target), f"--config={folder / 'target.json'}"],
            env={**os.environ, **plugin("loaders", target).get("env", {})},
            stdin=source.stdout,
            capture_output=True,
            text=True,
            check=False,
        )
        source.stdout.close()  # if the target ended first, the tap must not wait for it
        said = source.stderr.read().decode()
    assert done.returncode == 0, done.stderr
    assert source.returncode == 0, said
    state.write_text(done.stdout.splitlines()[-1])


def dbt(
    target: str, folder: Path, *variables: str, succeeds: bool = True, **environment: str
) -> str:
    """Build the models, with these variables on, run their tests, and give what dbt says."""
    if target == "postgres":
        program = installed("utilities", "dbt-postgres")
    else:  # the demo's own, which is Meltano's with one more pin
        program = install(*DBT) / "dbt"
    done = subprocess.run(
        [
            *(program, "build", f"--target={target}"),
            f"--vars={json.dumps(dict.fromkeys(variables, True))}",
        ],
        cwd=PROJECT,
        env={
            **os.environ,
            "DBT_TARGET_PATH": str(folder / "target"),
            "DBT_LOG_PATH": str(folder / "logs"),
            "DO_NOT_TRACK": "1",
            # Far from UTC, as many machines are: no day may depend on it.
            "TZ": "Asia/Tokyo",
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode == 0) is succeeds, done.stdout
    return done.stdout
