"""Running the target through its front door, against a simulated Twilio."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from click.testing import CliRunner

from harness import LogKeeper, a_run
from target_twilio.target import TargetTwilio

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from sandbox import Sandbox

Row = dict[str, Any]


def number(place: int) -> str:
    """A number of somebody."""
    return f"+1555{place:07d}"


def schema(stream: str, keys: Sequence[str] = ("id",), **properties: Any) -> Row:
    return {
        "type": "SCHEMA",
        "stream": stream,
        "key_properties": list(keys),
        "schema": {"type": "object", "properties": properties or {"id": {"type": "integer"}}},
    }


def records(stream: str, rows: Iterable[Row], keys: Sequence[str] = ("id",)) -> list[Row]:
    """Messages that bring rows, and a state behind them."""
    brought = [{"type": "RECORD", "stream": stream, "record": row} for row in rows]
    state = {"type": "STATE", "value": {"bookmarks": {stream: len(brought)}}}
    return [schema(stream, keys), *brought, state]


@dataclass
class Told:
    """What a run of the target said."""

    exit_code: int
    states: list[Row]
    log: str
    results: list[Row]

    @property
    def outcomes(self) -> list[str]:
        return [line["outcome"] for line in self.results]


@dataclass
class TargetRunner:
    """Runs the target as a user would: files in, lines out."""

    folder: Path
    twilio: Sandbox

    @property
    def ledger(self) -> Path:
        return self.folder / "ledger.db"

    @property
    def results(self) -> Path:
        return self.folder / "results.jsonl"

    def config(self, **settings: Any) -> Row:
        """Settings that send, as fast as they can; ``None`` takes one away."""
        usual = {
            "account_sid": self.twilio.account_sid,
            "auth_token": self.twilio.auth_token,
            "base_url": self.twilio.base_url,
            "from": self.twilio.senders[0],
            "send": True,
            "ledger_path": str(self.ledger),
            "results_path": str(self.results),
            "rate": 0,
            "settle_delay": 0,
        }
        if "messaging_service_sid" in settings:
            del usual["from"]
        return {name: one for name, one in (usual | settings).items() if one is not None}

    def __call__(self, messages: Iterable[Row | str], **settings: Any) -> Told:
        """Run, and give what came of it; results are those of this run."""
        path = self.folder / "config.json"
        path.write_text(json.dumps(self.config(**settings)))
        lines = (one if isinstance(one, str) else json.dumps(one) for one in messages)
        source = self.folder / "input.singer"
        source.write_text("\n".join(lines))
        before = len(self.lines())
        handler = LogKeeper()
        with a_run(handler):
            result = CliRunner().invoke(
                TargetTwilio.cli, ["--config", str(path), "--input", str(source)]
            )
        states = [json.loads(line) for line in result.stdout.splitlines()]
        log = handler.text + (result.stderr or "")
        return Told(result.exit_code, states, log, self.lines()[before:])

    def lines(self) -> list[Row]:
        if not self.results.exists():
            return []
        return [json.loads(line) for line in self.results.read_text().splitlines()]

    @property
    def writes(self) -> list[str]:
        """Methods of the requests that were no GET."""
        return [one.method for one in self.twilio.requests if one.method != "GET"]
