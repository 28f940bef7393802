"""The other direction: rows of a file of contacts become messages, and the tap reads them back."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from demo.errors import DemoError
from demo.pipeline import program, run
from environments.disk import on_disk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from demo.sources import SimulatedAccount

CONTACTS: Final = Path(__file__).resolve().parents[2] / "examples" / "contacts.jsonl"
MAPS: Final = {
    "contacts": {
        "__alias__": "messages",
        "__key_properties__": ["id"],
        "__else__": None,
        "id": "id",
        "to": "phone",
        "body": "'Hi ' + first_name + ', see you on ' + appointment + '.'",
    }
}
OPTED_OUT: Final = 5
"""The contact who has answered STOP."""

SETTLED: Final = 72
"""Hours after which Twilio knows what became of each message."""

SOME_REJECTED: Final = 1
"""Exit code of a run that took all rows, and rejected some."""


@dataclass
class Campaign:
    """Messages to some contacts.

    Attributes:
        folder: Where everything lands.
        source: Whom to ask.
    """

    folder: Path
    source: SimulatedAccount

    def __post_init__(self) -> None:
        """Have somebody opt out, and find out who sends."""
        self._target = program("target-twilio")
        self._tap = program("tap-twilio")
        self._ledger = on_disk(self.folder) / "ledger.db"
        self._ledger.unlink(missing_ok=True)
        self._service = next(iter(self.source.means()["services"]))
        self.source.opt_out(_phones()[OPTED_OUT])

    def run(self, *, sends: bool) -> dict[int, dict[str, Any]]:
        """Have the target take all contacts.

        Returns:
            By contact, the target's line of what became of it.

        Raises:
            DemoError: It could not take them all.
        """
        name = "sent" if sends else "dry-run"
        results = self.folder / f"{name}.jsonl"
        config = self.source.config | {
            "messaging_service_sid": self._service,
            "results_path": str(results),
            "rate": 0,
            "stream_maps": MAPS,
        }
        if sends:
            config |= {"send": True, "ledger_path": str(self._ledger)}
        settings = self.folder / f"{name}.json"
        settings.write_text(json.dumps(config, indent=2) + "\n")
        with CONTACTS.open("rb") as rows:
            # The shell's way to say this: target-twilio --config=… < contacts.jsonl
            command = [self._target, f"--config={settings}"]
            run(command, self.folder / f"{name}.log", source=rows, most=SOME_REJECTED)
        return {line["key"]["id"]: line for line in map(json.loads, _lines(results))}

    def statuses(self) -> dict[str, str]:
        """Have the tap read the messages of the last days, when all is known of them.

        Returns:
            Their statuses by SID, with Twilio's code where one went wrong.

        Raises:
            DemoError: It could not.
        """
        self.source.pass_time(SETTLED)
        yesterday = datetime.now(UTC) - timedelta(days=1)
        config = self.folder / "read-back.json"
        config.write_text(json.dumps({**self.source.config, "start_date": f"{yesterday:%F}"}))
        discovered = self._read(f"--config={config}", "--discover")
        streams = [one for one in json.loads(discovered)["streams"] if one["stream"] == "messages"]
        catalog = self.folder / "read-back-catalog.json"
        catalog.write_text(json.dumps({"streams": streams}))
        lines = self._read(f"--config={config}", f"--catalog={catalog}").splitlines()
        rows = [one["record"] for one in map(json.loads, lines) if one["type"] == "RECORD"]
        return {
            row["sid"]: " ".join(map(str, filter(None, (row["status"], row["error_code"]))))
            for row in rows
        }

    def _read(self, *options: str) -> str:
        return run([self._tap, *options], self.folder / "read-back.log")

    def check(self, sent: dict[int, dict[str, Any]]) -> int:
        """Compare what the target says that it sent with what Twilio holds.

        Returns:
            How many messages there are.

        Raises:
            DemoError: They differ.
        """
        phones = _phones()
        expected = {line["sid"]: phones[id_] for id_, line in sent.items() if line["sid"]}
        held = {one["sid"]: one["parameters"]["To"] for one in self.source.held()}
        if held != expected:
            msg = f"The target says that it sent {len(expected)} messages; Twilio has {len(held)}"
            raise DemoError(msg)
        return len(held)


def _lines(path: Path) -> Iterator[str]:
    yield from path.read_text(encoding="utf-8").splitlines()


def _phones() -> dict[int, str]:
    rows = (json.loads(line).get("record") for line in _lines(CONTACTS))
    return {row["id"]: row["phone"] for row in rows if row}
