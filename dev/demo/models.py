"""The figures: dbt's models, run over the warehouse."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import NamedTuple

import duckdb

from demo.errors import DemoError
from demo.warehouse import SCHEMA
from environments import InstallError, install

PROJECT = Path(__file__).resolve().parents[2] / "transform"
# As in meltano.yml; and both that write the database are of one version.
REQUIREMENTS = ("dbt-core==1.11.16", "dbt-duckdb==1.11.1", f"duckdb=={duckdb.__version__}")


class Models(NamedTuple):
    """What dbt made.

    Attributes:
        built: How many models.
        tested: How many tests they passed.
        definitions: What each figure is, by its column's name.
    """

    built: int
    tested: int
    definitions: dict[str, str]


def build(warehouse: Path, folder: Path) -> Models:
    """Run the models and their tests.

    Args:
        warehouse: The database file; nobody else may have it open.
        folder: A new folder, in which dbt may leave its own files.

    Returns:
        What was made.

    Raises:
        DemoError: dbt can't be installed, or a model or a test failed.
    """
    try:
        dbt = install("dbt-duckdb", *REQUIREMENTS) / "dbt"
    except InstallError as error:
        raise DemoError(str(error)) from None
    folder.mkdir()
    log = folder / "log"
    target = folder / "target"
    with log.open("w") as output:
        done = subprocess.run(  # noqa: S603
            [dbt, "build", "--target=duckdb"],
            cwd=PROJECT,
            env={
                **os.environ,
                "DBT_TARGET_PATH": str(target),
                "DBT_LOG_PATH": str(folder),
                "DBT_LOG_LEVEL_FILE": "none",
                "DO_NOT_TRACK": "1",
                "TWILIO_DUCKDB": str(warehouse),
                "TWILIO_SCHEMA": SCHEMA,
            },
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if done.returncode:
        lines = log.read_text().splitlines()
        reasons = [line for line in lines if " ERROR " in line or " FAIL " in line] or lines[-1:]
        msg = f"dbt ended with exit code {done.returncode}: {''.join(reasons[:1])} (more in {log})"
        raise DemoError(msg)
    results = json.loads((target / "run_results.json").read_text())["results"]
    built, tested = (
        sum(result["unique_id"].startswith(kind) for result in results)
        for kind in ("model.", "test.")
    )
    docs = json.loads((target / "manifest.json").read_text())["docs"]
    return Models(
        built=built,
        tested=tested,
        definitions={
            name.removeprefix("doc.twilio."): " ".join(doc["block_contents"].split())
            for name, doc in docs.items()
            if name.startswith("doc.twilio.")
        },
    )
