"""What is measured: how much there is to read, how Twilio behaves, and who reads how much of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

OURS, BARE, SINGER_IO, AIRBYTE = "tap-twilio-streams", "bare loop", "singer-io", "airbyte"

DLT_DUCKDB, DLT_POSTGRES, DLT_PARQUET = "dlt into DuckDB", "dlt into PostgreSQL", "dlt into Parquet"
PYAIRBYTE, PIPE_DUCKDB = "PyAirbyte into DuckDB", "pipe into target-duckdb"
PIPE_POSTGRES = "pipe into target-postgres"
FILES_POSTGRES, COPY_POSTGRES = "files into target-postgres", "files into target-postgres, use_copy"
ARROW, SPARK = "arrow.read into Parquet", "Spark into Parquet"
REST_API = "dlt's rest_api into DuckDB"
AIRBYTE_PYAIRBYTE = "airbyte, by PyAirbyte into DuckDB"
SINGER_IO_POSTGRES = "singer-io, pipe into target-postgres"
OTHERS = (SINGER_IO, AIRBYTE, REST_API, AIRBYTE_PYAIRBYTE, SINGER_IO_POSTGRES)
"""Those that read without this project's code."""

SMALLEST = 200
"""Rows of a stream below which no share goes."""


@dataclass(frozen=True)
class World:
    """A simulated Twilio.

    Attributes:
        volumes: Rows of the main account, by stream; a subaccount has a third.
        latency: Seconds that every answer takes.
        media_share: Share of the messages that have media.
        subaccounts: Accounts besides the main one.
        max_concurrency: Requests in flight an account; more are answered 429.
        retry_after: Seconds that those answers advise to wait.
        days: How far back rows reach.
        now: Where the clock stands at first.
        extra: More arguments of the sandbox's command line.
    """

    volumes: Mapping[str, int]
    latency: float = 0.0
    media_share: float = 0.0625
    subaccounts: int = 0
    max_concurrency: int | None = None
    retry_after: float | None = None
    days: int = 45
    now: str = ""
    extra: tuple[str, ...] = ()

    def scaled(self, share: float) -> World:
        """Give the same world with fewer rows."""
        volumes = {name: max(SMALLEST, int(rows * share)) for name, rows in self.volumes.items()}
        return replace(self, volumes=volumes)

    def at(self, now: datetime) -> World:
        """Set the clock."""
        return replace(self, now=now.strftime("%Y-%m-%dT%H:%M:%SZ"))

    @property
    def start_date(self) -> str:
        """A day before the first row: what all connectors are told to begin with."""
        now = datetime.fromisoformat(self.now) if self.now else datetime.now(UTC)
        return (now - timedelta(days=self.days + 1)).strftime("%Y-%m-%dT00:00:00Z")

    def options(self) -> dict[str, Any]:
        """Give the options of a sandbox within one's own process."""
        return {
            "volumes": dict(self.volumes),
            "media_share": self.media_share,
            "subaccounts": self.subaccounts,
            "days": self.days,
            "now": self.now,
        }

    def arguments(self) -> list[str]:
        """Give the arguments of a sandbox in a process of its own."""
        given = {
            "now": self.now,
            "days": self.days,
            "latency": self.latency,
            "media-share": self.media_share,
            "subaccounts": self.subaccounts,
            "max-concurrency": self.max_concurrency,
            "retry-after": self.retry_after,
            **self.volumes,
        }
        named = ((f"--{name}", str(value)) for name, value in given.items() if value is not None)
        return [*(word for pair in named for word in pair), *self.extra]


@dataclass(frozen=True)
class Scenario:
    """One comparison.

    Attributes:
        name: What it is called on the command line and in the results.
        title: What it is called in the table.
        world: The simulated Twilio.
        streams: What is read.
        shares: Who takes part, each with the share of the rows that it reads: a slow connector's
            rate shows on fewer.
        advance: For a second run: seconds by which the clock moves on after the first one. Only
            the second is measured.
        checked: Whether rows are compared with the sandbox's one by one; else only counted.
        repeats: How often it is measured, where that differs from what the command line says.
    """

    name: str
    title: str
    world: World
    streams: tuple[str, ...] = ("calls",)
    shares: Mapping[str, float] = field(default_factory=dict)
    advance: int = 0
    checked: bool = True
    repeats: int | None = None

    def scaled(self, share: float) -> Scenario:
        """Give the same scenario with fewer rows."""
        return replace(self, world=self.world.scaled(share))


def _mixed(milliseconds: int, shares: Mapping[str, float]) -> Scenario:
    return Scenario(
        f"latency-{milliseconds}",
        f"100,000 calls and 100,000 messages, {milliseconds} ms a request",
        World({"calls": 100_000, "messages": 100_000}, latency=milliseconds / 1000),
        ("calls", "messages"),
        shares,
    )


def _memory(rows: int) -> Scenario:
    return Scenario(
        f"memory-{rows // 1000}k",
        f"{rows:,} calls, for the memory that they take",
        World({"calls": rows}, extra=("--cache-mb", "64")),
        shares={OURS: 1},
        checked=False,
        repeats=1,
    )


def _doors(destination: str, shares: Mapping[str, float]) -> Scenario:
    return Scenario(
        f"doors-{destination.lower()}",
        f"100,000 calls into {destination}",
        World({"calls": 100_000}),
        shares=shares,
        repeats=1,
    )


SCENARIOS: tuple[Scenario, ...] = (
    Scenario(
        "cpu",
        "200,000 calls, no latency",
        World({"calls": 200_000}),
        shares={BARE: 1, OURS: 1, SINGER_IO: 0.05, AIRBYTE: 0.05},
    ),
    replace(
        _mixed(50, {OURS: 1, SINGER_IO: 0.03, AIRBYTE: 0.05}),
        repeats=1,
    ),
    _mixed(150, {OURS: 1, SINGER_IO: 0.02, AIRBYTE: 0.05}),
    replace(
        _mixed(500, {OURS: 1, SINGER_IO: 0.01, AIRBYTE: 0.05}),
        repeats=1,
    ),
    Scenario(
        "media",
        "10,000 messages and the media of the 40 % that have some, 50 ms a request",
        World({"messages": 10_000}, latency=0.05, media_share=0.4),
        ("messages", "message_media"),
        {OURS: 1, SINGER_IO: 0.04, AIRBYTE: 0.1},
    ),
    Scenario(
        "accounts",
        "six accounts: 60,000 calls and 60,000 messages in all but unequal parts, 150 ms a request",
        World({"calls": 22_500, "messages": 22_500}, latency=0.15, subaccounts=5),
        ("calls", "messages"),
        {OURS: 1, SINGER_IO: 0.05, AIRBYTE: 0.05},
    ),
    Scenario(
        "second-run",
        "an hour after 50,000 calls and 50,000 messages were read, 50 ms a request",
        World({"calls": 50_000, "messages": 50_000}, latency=0.05),
        ("calls", "messages"),
        {OURS: 1, SINGER_IO: 0.02, AIRBYTE: 0.05},
        advance=3600,
        repeats=1,
    ),
    Scenario(
        "throttled",
        "100,000 calls, 50 ms a request, 429 above six in flight",
        World({"calls": 100_000}, latency=0.05, max_concurrency=6),
        shares={OURS: 1},
    ),
    *(_memory(rows) for rows in (50_000, 500_000, 2_000_000)),
    _doors(
        "DuckDB",
        {DLT_DUCKDB: 1, PYAIRBYTE: 1, PIPE_DUCKDB: 1, REST_API: 0.2, AIRBYTE_PYAIRBYTE: 0.1},
    ),
    _doors(
        "PostgreSQL",
        {
            COPY_POSTGRES: 1,
            DLT_POSTGRES: 1,
            FILES_POSTGRES: 1,
            PIPE_POSTGRES: 1,
            SINGER_IO_POSTGRES: 0.1,
        },
    ),
    _doors("Parquet", {ARROW: 1, DLT_PARQUET: 1, SPARK: 1}),
)


def choose(names: Iterable[str]) -> list[Scenario]:
    """Choose scenarios.

    Args:
        names: Names, or beginnings of names; none for all scenarios.

    Returns:
        The scenarios, in the order in which they are declared.

    Raises:
        ValueError: A name fits none.
    """
    wanted = tuple(names)
    for name in wanted:
        if not any(scenario.name.startswith(name) for scenario in SCENARIOS):
            known = ", ".join(scenario.name for scenario in SCENARIOS)
            msg = f"no scenario {name!r}; there are: {known}"
            raise ValueError(msg)
    return [one for one in SCENARIOS if not wanted or one.name.startswith(wanted)]
