"""airbyte-cdk's standard tests; publishing/airbyte/acceptance-test-config.yml says of what.

They take a class for a source. What runs here is the installed executable all the same.
"""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

from airbyte_cdk.entrypoint import AirbyteEntrypoint
from airbyte_cdk.test import entrypoint_wrapper
from airbyte_cdk.test.standard_tests import SourceTestSuiteBase

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable


class Executable(AirbyteEntrypoint):
    def __init__(self, source: object) -> None:
        """Want nothing of the class that stands in for a source."""

    def run(self, parsed_args: argparse.Namespace) -> Iterable[str]:
        command = [os.environ["SOURCE"], parsed_args.command]
        for name in ("config", "catalog", "state"):
            if value := getattr(parsed_args, name, None):
                command += [f"--{name}", value]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert not done.stderr, done.stderr
        yield from done.stdout.splitlines()


entrypoint_wrapper.AirbyteEntrypoint = Executable


class SourceTwilio:
    def spec(self, logger: object) -> None:
        """Be what the suite takes for a source."""


class TestStandards(SourceTestSuiteBase):
    connector = SourceTwilio
