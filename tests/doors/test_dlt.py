"""The tests of Arrow batches and of the dlt source, in an environment of their own."""

from __future__ import annotations

import pytest

from tests.doors.apart import assert_passed, dependencies

PACKAGES = (
    "dlt[duckdb,parquet,postgres]==1.31.0",
    "pyarrow==26.0.1",
    "duckdb==2.0.0",
    "polars==2.1.0",
    "pandas==2.3.3",
    "aiohttp<4",
    "pytest<10",
)


ENVIRONMENT = ("dlt", *PACKAGES, *dependencies("arrow", "dlt"))

pytestmark = [pytest.mark.door, pytest.mark.environment(*ENVIRONMENT)]


def test_arrow_and_dlt():
    assert_passed("tests/doors/dlt", ENVIRONMENT)
