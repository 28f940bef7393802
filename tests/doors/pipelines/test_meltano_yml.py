"""Meltano's own schema of project files."""

from __future__ import annotations

import json

import pytest
import yaml
from jsonschema import Draft7Validator

from environments import ROOT, install
from tests.doors.pipelines.project import PACKAGE

pytestmark = [pytest.mark.door, pytest.mark.environment("meltano", PACKAGE)]


def test_meltano_finds_its_project_file_well_formed():
    environment = install("meltano", PACKAGE).parent
    (schema,) = environment.glob("lib/*/site-packages/meltano/schemas/meltano.schema.json")
    validator = Draft7Validator(json.loads(schema.read_text()))
    project = yaml.safe_load((ROOT / "meltano.yml").read_text())
    assert [error.message for error in validator.iter_errors(project)] == []
