"""Running the source as a platform would: files in, messages out."""

from __future__ import annotations

import contextlib
import io
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness import a_run
from tap_twilio.airbyte.source import main

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

Message = dict[str, Any]


@dataclass
class Said:
    """What a run of the source said."""

    exit_code: int
    lines: list[str]
    messages: list[Message] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.messages = [json.loads(line) for line in self.lines]

    def of_type(self, kind: str) -> list[Message]:
        return [message for message in self.messages if message["type"] == kind]

    def records(self, stream: str) -> list[Message]:
        found = [message["record"] for message in self.of_type("RECORD")]
        return [record["data"] for record in found if record["stream"] == stream]

    @property
    def streams(self) -> set[str]:
        return {message["record"]["stream"] for message in self.of_type("RECORD")}

    @property
    def states(self) -> list[Message]:
        """The last state of each stream, as a platform hands it back."""
        last = {
            message["state"]["stream"]["stream_descriptor"]["name"]: message["state"]
            for message in self.of_type("STATE")
        }
        return list(last.values())

    def blob(self, stream: str) -> Message | None:
        for state in self.states:
            if state["stream"]["stream_descriptor"]["name"] == stream:
                return state["stream"]["stream_state"]
        return None

    def statuses(self, stream: str) -> list[str]:
        found = [
            message["trace"]["stream_status"]
            for message in self.of_type("TRACE")
            if message["trace"]["type"] == "STREAM_STATUS"
        ]
        return [one["status"] for one in found if one["stream_descriptor"]["name"] == stream]

    @property
    def errors(self) -> list[Message]:
        return [
            message["trace"]["error"]
            for message in self.of_type("TRACE")
            if message["trace"]["type"] == "ERROR"
        ]

    @property
    def log(self) -> str:
        return "\n".join(message["log"]["message"] for message in self.of_type("LOG"))


@dataclass
class Source:
    """The source, through its command line, in this process."""

    folder: Path

    def __call__(self, command: str, *options: str, **files: Any) -> Said:
        out = io.TextIOWrapper(io.BytesIO(), write_through=True)
        with a_run(), contextlib.redirect_stdout(out):
            code = self._run(command, *options, *self.write(files))
        return Said(code, out.buffer.getvalue().decode().splitlines())

    def _run(self, *arguments: str) -> int:
        try:
            main(arguments)
        except SystemExit as ended:
            return ended.code
        message = "it should have ended with an exit code"
        raise AssertionError(message)

    def write(self, files: Message) -> list[str]:
        """Write files, and give the options that name them."""
        options = []
        for name, content in files.items():
            if content is not None:
                path = self.folder / f"{name}.json"
                path.write_text(json.dumps(content))
                options += [f"--{name}", str(path)]
        return options

    def streams(self, config: Message) -> dict[str, Message]:
        """The streams that there are, by name."""
        (message,) = self("discover", config=config).of_type("CATALOG")
        return {stream["name"]: stream for stream in message["catalog"]["streams"]}

    def read(
        self,
        config: Message,
        wanted: Iterable[str] | dict[str, str],
        state: list[Message] | None = None,
    ) -> Said:
        """Read streams, in incremental mode unless another is given for each."""
        modes = wanted if isinstance(wanted, dict) else dict.fromkeys(wanted, "incremental")
        return self("read", config=config, catalog=catalog(modes), state=state)


def catalog(modes: dict[str, str]) -> Message:
    """A configured catalog with as much of each stream as the source looks at."""
    return {
        "streams": [
            {
                "stream": {"name": name, "json_schema": {}, "supported_sync_modes": [mode]},
                "sync_mode": mode,
                "destination_sync_mode": "append",
            }
            for name, mode in modes.items()
        ]
    }
