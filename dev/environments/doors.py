"""The tools that are tried with the tap, each as what its environment is made of."""

from __future__ import annotations

import sys
import tomllib
from typing import Final

from environments import ROOT

TARGET_POSTGRES: Final = ("pg", "meltanolabs-target-postgres==0.8.1")
TARGET_DUCKDB: Final = ("duck", "target-duckdb==0.8.0", "duckdb==1.2.2")
"""As the docs install them."""

PYAIRBYTE_RUNS: Final = sys.version_info < (3, 13)

AIRBYTE: Final = (
    "airbyte",
    *(["airbyte==0.71.3"] if PYAIRBYTE_RUNS else []),
    "airbyte-cdk==7.39.1",
    "airbyte-protocol-models-pdv2==0.18.0",
    "pytest>=9,<10",
)


def _with(*extras: str) -> list[str]:
    """Give what the tap brings, itself left out: it is on the path."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    optional = project["optional-dependencies"]
    return [*project["dependencies"], *(one for extra in extras for one in optional[extra])]


DLT_ALONE: Final = (
    "dlt-alone",
    "dlt[duckdb,parquet,postgres]==1.31.0",
    "pyarrow==26.0.1",
    "duckdb==2.0.0",
    *_with("arrow", "dlt"),
)
"""Without pandas: Arrow imports it where it is installed, which takes more than a second."""

DLT: Final = (
    "dlt",
    "polars==2.1.0",
    "pandas==2.3.3",
    "aiohttp<4",
    "pytest<10",
    *DLT_ALONE[1:],
)

SPARK: Final = (
    "spark",
    "pyspark==4.3.0",
    "pandas==2.3.3",
    "pyarrow==26.0.1",
    "aiohttp<4",
    "pytest<10",
    *_with("spark"),
)
