"""Whole ways from Twilio into a destination: who reads, what loads, and what came of it.

The readers and loaders are programs of their own, as a user would run them; `loaders` has those
that a user would write.
"""

from __future__ import annotations

import atexit
import json
import shlex
import shutil
import subprocess
import sys
from abc import abstractmethod
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from typing_extensions import override

from benchmarks.connectors import (
    CONNECTORS,
    REDIRECT,
    Airbyte,
    Connector,
    Ours,
    SingerIo,
    UnavailableError,
    settings,
    write,
)
from benchmarks.scenarios import (
    AIRBYTE_PYAIRBYTE,
    ARROW,
    COPY_POSTGRES,
    DLT_DUCKDB,
    DLT_PARQUET,
    DLT_POSTGRES,
    FILES_POSTGRES,
    PIPE_DUCKDB,
    PIPE_POSTGRES,
    PYAIRBYTE,
    REST_API,
    SINGER_IO_POSTGRES,
    SPARK,
)
from benchmarks.server import ROOT
from environments import InstallError, install
from environments import doors as environments
from environments.postgres import DATABASE, PACKAGE, PASSWORD, USER, Postgres

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.server import Server

_LOADERS = Path(__file__).with_name("loaders")
_STREAM = "calls"
_QUIET = {"DO_NOT_TRACK": "1", "AIRBYTE_OFFLINE_MODE": "1", "RUNTIME__DLTHUB_TELEMETRY": "false"}


class Destination:
    """Where rows go: the schema `twilio` of a file of DuckDB, unless a subclass says otherwise.

    Attributes:
        kind: What dlt calls it.
    """

    kind = "duckdb"

    def place(self, folder: Path) -> str:
        """Tell where it is, in a run's folder."""
        return str(folder / "warehouse.duckdb")

    def empty(self, folder: Path) -> None:
        """Leave nothing of a run before."""
        Path(self.place(folder)).unlink(missing_ok=True)

    def target(self, folder: Path) -> dict[str, object]:
        """Give the settings of the Singer target that loads into it."""
        return {
            "path": self.place(folder),
            "default_target_schema": "twilio",
            "primary_key_required": False,
        }

    def counts(self, folder: Path, truth: Path | None) -> dict[str, float | None]:
        """Count what is in it, beside what there is."""
        return _compared(truth, self.place(folder), "")


class Lake(Destination):
    """A folder of Parquet files."""

    kind = "filesystem"

    @override
    def place(self, folder: Path) -> str:
        """Tell where it is, in a run's folder."""
        return str(folder / "lake")

    @override
    def empty(self, folder: Path) -> None:
        """Leave nothing of a run before."""
        shutil.rmtree(self.place(folder), ignore_errors=True)


class PostgreSQL(Destination):
    """The schema `twilio` of a server, which all runs share."""

    kind = "postgres"

    @override
    def place(self, folder: Path) -> str:
        """Tell where it is."""
        return f"postgresql://{USER}:{PASSWORD}@127.0.0.1:{_postgres().port}/{DATABASE}"

    @override
    def empty(self, folder: Path) -> None:
        """Leave nothing of a run before."""
        _postgres().execute("DROP SCHEMA IF EXISTS twilio CASCADE")

    @override
    def target(self, folder: Path) -> dict[str, object]:
        """Give the settings of the Singer target that loads into it."""
        url = self.place(folder).replace("postgresql:", "postgresql+psycopg:", 1)
        return {
            "sqlalchemy_url": f"{url}?options=-ctimezone%3DUTC",
            "default_target_schema": "twilio",
        }

    @override
    def counts(self, folder: Path, truth: Path | None) -> dict[str, float | None]:
        """Count what is in it, beside what there is."""
        sids = _postgres().execute("SELECT sid FROM twilio.calls")
        return _compared(truth, "-", sids)


class Door(Connector):
    """A way from Twilio into a destination.

    Attributes:
        destination: Where the rows go.
        needs: The environments that it runs in.
    """

    destination: Destination
    needs: Sequence[tuple[str, ...]]

    def __init__(self, name: str, destination: Destination, *, warm: bool = False) -> None:
        """Name it.

        Args:
            name: What it is called in scenarios and results.
            destination: Where the rows go.
            warm: Whether the sandbox must have made its pages before.
        """
        self.name = name
        self.destination = destination
        self.warm = warm

    def install(self) -> None:
        """Install what it needs, unless that was done before.

        Raises:
            UnavailableError: Something doesn't install.
        """
        needs = [*self.needs]
        if isinstance(self.destination, PostgreSQL):
            needs.append(("postgres", PACKAGE))
        try:
            for environment in needs:
                install(*environment)
        except InstallError as error:
            raise UnavailableError(str(error)) from None

    def command(self, server: Server, streams: Sequence[str], folder: Path) -> list[str]:
        """Give the command that loads into an empty destination.

        Args:
            server: The sandbox.
            streams: What to read.
            folder: Where everything may be written.

        Returns:
            Program and arguments.
        """
        _pids(folder).unlink(missing_ok=True)
        for made in ("batches", "dlt"):
            shutil.rmtree(folder / made, ignore_errors=True)
        self.destination.empty(folder)
        return self.load(server, streams, folder)

    @abstractmethod
    def load(self, server: Server, streams: Sequence[str], folder: Path) -> list[str]:
        """Give the command."""

    def readers(self, folder: Path) -> set[int]:
        """Tell which processes read Twilio, where others load."""
        pids = _pids(folder)
        return {int(pid) for pid in pids.read_text().split()} if pids.exists() else set()


@dataclass(frozen=True)
class Target:
    """A Singer target.

    Attributes:
        environment: What it runs in; its package comes first.
        destination: Where it loads.
        options: More settings of it.
    """

    environment: tuple[str, ...]
    destination: Destination
    options: Mapping[str, object] = field(default_factory=dict)


class Pipe(Door):
    """A Singer tap before a Singer target."""

    def __init__(self, name: str, tap: Connector, target: Target, *, files: bool = False) -> None:
        """Join them.

        Args:
            name: What it is called in scenarios and results.
            tap: Who reads.
            target: What loads.
            files: Whether records go through files.
        """
        super().__init__(name, target.destination)
        self._tap, self._target, self._files = tap, target, files
        self.needs = [target.environment]

    @property
    def version(self) -> str:
        """The version of the target."""
        return self._target.environment[1].replace("==", " ")

    def install(self) -> None:
        """Install the tap, too."""
        super().install()
        self._tap.install()

    def load(self, server: Server, streams: Sequence[str], folder: Path) -> list[str]:
        """Give the pipe, for a shell."""
        tap = self._tap.command(server, streams, folder)
        if self._files:
            batches = {
                "encoding": {"format": "jsonl", "compression": "gzip"},
                "storage": {"root": str(folder / "batches")},
            }
            tap += ["--config", write(folder, "batches", {"batch_config": batches})]
        target = write(
            folder, "target", {**self.destination.target(folder), **self._target.options}
        )
        package = self._target.environment[1].partition("==")[0].removeprefix("meltanolabs-")
        loader = [str(install(*self._target.environment) / package), "--config", target]
        pipe = f"set -o pipefail; {_reader(folder, tap)} | {shlex.join(loader)} > /dev/null"
        return ["bash", "-c", pipe]


class Program(Door):
    """A program of `loaders`, which reads and loads in one process or in several."""

    def __init__(
        self,
        name: str,
        file: str,
        environment: tuple[str, ...],
        destination: Destination,
        *,
        warm: bool = False,
    ) -> None:
        """Name it.

        Args:
            name: What it is called in scenarios and results.
            file: The program.
            environment: What it runs in.
            destination: Where the rows go.
            warm: Whether the sandbox must have made its pages before.
        """
        super().__init__(name, destination, warm=warm)
        self.needs = [environment]
        self._environment, self._file = environment, str(_LOADERS / file)

    @property
    def version(self) -> str:
        """The version of the loader."""
        package, _, version = self._environment[1].partition("==")
        return f"{package.partition('[')[0]} {version}"

    def load(self, server: Server, streams: Sequence[str], folder: Path) -> list[str]:
        """Give the program, with the tap on its path and the settings in its environment."""
        told = settings(server) | {"base_url": server.base_url}
        variables = {f"TAP_TWILIO_{name.upper()}": value for name, value in told.items()}
        variables["PYTHONPATH"] = f"{ROOT}:{ROOT / 'dev'}"
        arguments = [self._file, *self.arguments(folder), *streams]
        return self.run(folder, arguments, variables)

    def arguments(self, folder: Path) -> list[str]:
        """Give what the program is told before the streams."""
        return [self.destination.place(folder)]

    def run(
        self, folder: Path, arguments: Sequence[str], variables: Mapping[str, str]
    ) -> list[str]:
        """Give the command, with nothing that it would tell others or remember."""
        python = str(install(*self._environment) / "python")
        own = {"DLT_DATA_DIR": str(folder / "dlt"), "PYSPARK_PYTHON": python, **_QUIET, **variables}
        said = [f"{name}={value}" for name, value in own.items()]
        return ["env", *said, python, "-P", *arguments]


class Dlt(Program):
    """The tap's source of dlt."""

    @override
    def arguments(self, folder: Path) -> list[str]:
        """Give what the program is told before the streams."""
        return [self.destination.kind, self.destination.place(folder)]


class RestApi(Program):
    """dlt's own source of REST APIs, told of Twilio as its documentation says."""

    def load(self, server: Server, streams: Sequence[str], folder: Path) -> list[str]:
        """Give the program, with the sandbox in Twilio's place."""
        config = write(folder, "config", settings(server))
        arguments = [self._file, config, self.destination.place(folder), *streams]
        return self.run(folder, [str(REDIRECT), server.base_url, *arguments], {})


class PyAirbyte(Program):
    """A source of Airbyte's protocol, run by PyAirbyte."""

    def __init__(self, name: str, source: Airbyte | None, destination: Destination) -> None:
        """Name it.

        Args:
            name: What it is called in scenarios and results.
            source: Airbyte's source; ours if there is none.
            destination: Where the rows go.
        """
        super().__init__(name, "pyairbyte.py", environments.AIRBYTE, destination)
        self._source = source

    def install(self) -> None:
        """Install the source, too.

        Raises:
            UnavailableError: PyAirbyte needs an older Python.
        """
        if not environments.PYAIRBYTE_RUNS:
            msg = "it needs Python before 3.13"
            raise UnavailableError(msg)
        super().install()
        if self._source is not None:
            self._source.install()

    def load(self, server: Server, streams: Sequence[str], folder: Path) -> list[str]:
        """Give the program."""
        if self._source is None:
            told = settings(server) | {"base_url": server.base_url}
            path = f"PYTHONPATH={ROOT}:{ROOT / 'dev'}"
            source = ["env", path, sys.executable, "-m", "tap_twilio.airbyte"]
        else:
            told = settings(server)
            source = self._source.start(server)
        config = write(folder, "config", told)
        executable = _reader(folder, source)
        arguments = [self._file, executable, config, self.destination.place(folder), *streams]
        return self.run(folder, arguments, {})


def _reader(folder: Path, command: Sequence[str]) -> str:
    """Write a program that reads Twilio, and tells its PID."""
    path = folder / "reader"
    path.write_text(f'#!/bin/sh\necho $$ >> {_pids(folder)}\nexec {shlex.join(command)} "$@"\n')
    path.chmod(0o755)
    return str(path)


def _pids(folder: Path) -> Path:
    return folder / "readers"


def _compared(truth: Path | None, place: str, sids: str) -> dict[str, float | None]:
    """Compare in another process, as the one that measures stays small."""
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-m", "benchmarks.loaded", str(truth or "-"), _STREAM, place],
        cwd=ROOT,
        input=sids,
        capture_output=True,
        text=True,
        check=True,
    )
    counts: dict[str, float | None] = json.loads(done.stdout)
    return counts | {"bytes": None}


@cache
def _postgres() -> Postgres:
    """Start a server, for as long as this process lives."""
    stack = ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(Postgres.make())


def _doors() -> tuple[Door, ...]:
    duckdb, lake, postgres = Destination(), Lake(), PostgreSQL()
    tap = Ours()
    target = Target(environments.TARGET_POSTGRES, postgres)
    copying = replace(target, options={"use_copy": True})
    dlt = environments.DLT_ALONE
    return (
        Dlt(DLT_DUCKDB, "dlt_twilio.py", dlt, duckdb, warm=True),
        PyAirbyte(PYAIRBYTE, None, duckdb),
        Pipe(PIPE_DUCKDB, tap, Target(environments.TARGET_DUCKDB, duckdb)),
        RestApi(REST_API, "dlt_rest_api.py", dlt, duckdb),
        PyAirbyte(AIRBYTE_PYAIRBYTE, Airbyte(), duckdb),
        Pipe(COPY_POSTGRES, tap, copying, files=True),
        Dlt(DLT_POSTGRES, "dlt_twilio.py", dlt, postgres, warm=True),
        Pipe(FILES_POSTGRES, tap, target, files=True),
        Pipe(PIPE_POSTGRES, tap, target),
        Pipe(SINGER_IO_POSTGRES, SingerIo(), target),
        Program(ARROW, "arrow_parquet.py", dlt, lake, warm=True),
        Dlt(DLT_PARQUET, "dlt_twilio.py", dlt, lake),
        Program(SPARK, "spark_parquet.py", environments.SPARK, lake),
    )


DOORS: dict[str, Connector] = {door.name: door for door in _doors()}

ALL: dict[str, Connector] = {**CONNECTORS, **DOORS}
"""Everybody who takes part in any scenario."""
