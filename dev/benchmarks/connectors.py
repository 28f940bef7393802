"""Who is measured, and how each is installed, configured and started."""

from __future__ import annotations

import json
import subprocess
import sys
from abc import ABC, abstractmethod
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.scenarios import AIRBYTE, BARE, OURS, SINGER_IO
from benchmarks.server import ROOT
from environments import InstallError, install

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from benchmarks.server import Server

REDIRECT = Path(__file__).with_name("redirect.py")


class UnavailableError(Exception):
    """A connector that doesn't install here."""


class Connector(ABC):
    """Something that reads Twilio.

    Attributes:
        name: What it is called in scenarios and results.
        warm: Whether it is so fast that the sandbox must have made its pages before.
    """

    name: str
    warm = False

    @property
    @abstractmethod
    def version(self) -> str:
        """The version that is measured."""

    def install(self) -> None:  # noqa: B027
        """Make it ready.

        Raises:
            UnavailableError: It can't be.
        """

    @abstractmethod
    def command(self, server: Server, streams: Sequence[str], folder: Path) -> list[str]:
        """Give the command that reads some streams.

        Args:
            server: The sandbox.
            streams: What to read.
            folder: Where configuration may be written, and where `state.json` lies if there was
                a run before.

        Returns:
            Program and arguments.
        """

    def state(self, messages: Iterable[str]) -> Any:  # noqa: ANN401
        """Make the state of the next run from the STATE messages of the one before.

        Args:
            messages: The messages, in order.

        Returns:
            What `state.json` shall hold.
        """
        return [json.loads(message)["value"] for message in messages][-1]


class Ours(Connector):
    """The tap of this repository, as it is installed beside the benchmarks."""

    name = OURS
    warm = True

    @property
    def version(self) -> str:
        """The version that is measured."""
        return version("tap-twilio-streams")

    def command(self, server: Server, streams: Sequence[str], folder: Path) -> list[str]:
        """Give the command that reads some streams."""
        tap = [sys.executable, "-m", "tap_twilio"]
        config = write(folder, "config", settings(server) | {"base_url": server.base_url})
        catalog = _discover([*tap, "--config", config, "--discover"])
        options = ["--config", config, "--catalog", _select(folder, catalog, streams)]
        return [*tap, *options, *_state_option(folder)]


class BareLoop(Connector):
    """Fetch, decode, encode, write, and nothing else: what no tap can be faster than."""

    name = BARE
    warm = True

    @property
    def version(self) -> str:
        """The version that is measured."""
        return f"msgspec {version('msgspec')}"

    def command(self, server: Server, streams: Sequence[str], folder: Path) -> list[str]:
        """Give the command that reads some streams."""
        config = write(folder, "config", settings(server) | {"base_url": server.base_url})
        return [sys.executable, "-m", "benchmarks.bare", config, *streams]


class Foreign(Connector):
    """A published connector in an environment of its own, its code untouched.

    Attributes:
        package: What is installed.
        script: The console script that starts it.
    """

    package: str
    script: str

    @property
    def version(self) -> str:
        """The version that is measured."""
        return self.package.partition("==")[2]

    def install(self) -> None:
        """Install it, unless that was done before.

        Raises:
            UnavailableError: It doesn't install.
        """
        try:
            self._home = install(self.package.replace("==", "-"), self.package)
        except InstallError as error:
            raise UnavailableError(str(error)) from None

    def start(self, server: Server, *arguments: str) -> list[str]:
        """Give the command that starts it with the sandbox in Twilio's place."""
        # Another's package may have the name of one of ours.
        python = ["env", "-u", "PYTHONPATH", str(self._home / "python"), "-P"]
        return [*python, str(REDIRECT), server.base_url, self.script, *arguments]


class SingerIo(Foreign):
    """The tap of the Singer project."""

    name = SINGER_IO
    package = "tap-twilio==0.2.2"
    script = "tap-twilio"

    def command(self, server: Server, streams: Sequence[str], folder: Path) -> list[str]:
        """Give the command that reads some streams."""
        config = write(folder, "config", settings(server) | {"user_agent": "benchmark"})
        catalog = _discover(self.start(server, "--config", config, "--discover"))
        options = ["--config", config, "--catalog", _select(folder, catalog, streams)]
        return self.start(server, *options, *_state_option(folder))


class Airbyte(Foreign):
    """Airbyte's source, run without its platform."""

    name = AIRBYTE
    package = "airbyte-source-twilio==0.16.0"
    script = "source-twilio"

    def command(self, server: Server, streams: Sequence[str], folder: Path) -> list[str]:
        """Give the command that reads some streams."""
        config = write(folder, "config", settings(server))
        known = self._streams(server, config)
        catalog = write(
            folder,
            "catalog",
            {
                "streams": [
                    {
                        "stream": known[name],
                        "sync_mode": known[name]["supported_sync_modes"][-1],
                        "destination_sync_mode": "append",
                        "cursor_field": known[name].get("default_cursor_field", []),
                    }
                    for name in streams
                ]
            },
        )
        options = ["--config", config, "--catalog", catalog]
        return self.start(server, "read", *options, *_state_option(folder))

    def state(self, messages: Iterable[str]) -> Any:  # noqa: ANN401
        """Give the last state of each stream."""
        last = {}
        for message in messages:
            state = json.loads(message)["state"]
            last[state["stream"]["stream_descriptor"]["name"]] = {
                name: state[name] for name in ("type", "stream")
            }
        return list(last.values())

    @cached_property
    def _known(self) -> dict[str, Any]:
        return {}

    def _streams(self, server: Server, config: str) -> dict[str, Any]:
        """Discover once: the answer depends on nothing but the version."""
        if not self._known:
            result = subprocess.run(  # noqa: S603
                self.start(server, "discover", "--config", config), capture_output=True, check=True
            )
            messages = [json.loads(line) for line in result.stdout.splitlines()]
            (catalog,) = (one["catalog"] for one in messages if one["type"] == "CATALOG")
            self._known.update({stream["name"]: stream for stream in catalog["streams"]})
        return self._known


CONNECTORS: dict[str, Connector] = {
    connector.name: connector for connector in (BareLoop(), Ours(), SingerIo(), Airbyte())
}


def settings(server: Server) -> dict[str, str]:
    """Give the settings that all connectors have in common."""
    return {
        "account_sid": server.account_sid,
        "auth_token": server.auth_token,
        "start_date": server.world.start_date,
    }


def write(folder: Path, name: str, content: object) -> str:
    """Write a file of JSON.

    Args:
        folder: Where to.
        name: Its name, less `.json`.
        content: What is in it.

    Returns:
        Its path.
    """
    path = folder / f"{name}.json"
    path.write_text(json.dumps(content))
    return str(path)


def _state_option(folder: Path) -> list[str]:
    state = folder / "state.json"
    return ["--state", str(state)] if state.exists() else []


def _discover(command: list[str]) -> dict[str, Any]:
    result = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)  # noqa: S603
    catalog: dict[str, Any] = json.loads(result.stdout)
    return catalog


def _select(folder: Path, catalog: Mapping[str, Any], streams: Sequence[str]) -> str:
    for stream in catalog["streams"]:
        for entry in stream["metadata"]:
            if not entry["breadcrumb"]:
                entry["metadata"]["selected"] = stream["tap_stream_id"] in streams
    return write(folder, "catalog", catalog)
