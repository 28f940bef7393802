from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from environments.postgres import DATABASE, PASSWORD, USER, Postgres
from tests.doors.pipelines.project import Project, checkout

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sandbox import Sandbox


@pytest.fixture(scope="module")
def clone() -> Iterator[Project]:
    # For a module, not a session: another process may be waiting for it.
    with checkout() as project:
        yield project


@pytest.fixture
def project(clone: Project, tmp_path: Path) -> Project:
    """The Meltano project, with no state and an empty folder for what loaders write."""
    output = tmp_path / "output"
    output.mkdir()
    own = {
        "MELTANO_ENVIRONMENT": "prod",
        "MELTANO_DATABASE_URI": clone.database(tmp_path),
        "TARGET_JSONL_DESTINATION_PATH": str(output),
        "TARGET_CSV_OUTPUT_PATH": str(output),
        "TARGET_DUCKDB_PATH": str(output / "warehouse.duckdb"),
        # Far from UTC, as many machines are.
        "TZ": "America/New_York",
    }
    return replace(clone, environment={**clone.environment, **own})


@pytest.fixture(scope="session")
def server() -> Iterator[Postgres]:
    with Postgres.make() as postgres:
        yield postgres


@pytest.fixture
def postgres(server: Postgres) -> Postgres:
    """A PostgreSQL server with an empty database."""
    server.execute("DROP SCHEMA IF EXISTS twilio CASCADE")
    return server


def credentials(twilio: Sandbox) -> dict[str, str]:
    """Settings that read a sandbox, in the environment."""
    return {
        "TAP_TWILIO_ACCOUNT_SID": twilio.account_sid,
        "TAP_TWILIO_AUTH_TOKEN": twilio.auth_token,
        "TAP_TWILIO_BASE_URL": twilio.base_url,
    }


def sender(twilio: Sandbox) -> dict[str, str]:
    """Settings that write to a sandbox, in the environment."""
    read = credentials(twilio).items()
    return {name.replace("TAP_", "TARGET_"): value for name, value in read}


def connection(postgres: Postgres) -> dict[str, str]:
    """Settings that load into a server, in the environment."""
    return {
        "TARGET_POSTGRES_HOST": "127.0.0.1",
        "TARGET_POSTGRES_PORT": str(postgres.port),
        "TARGET_POSTGRES_USER": USER,
        "TARGET_POSTGRES_PASSWORD": PASSWORD,
        "TARGET_POSTGRES_DATABASE": DATABASE,
    }
