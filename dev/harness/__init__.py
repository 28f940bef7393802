"""Running the tap through its front door, against a simulated Twilio."""

from __future__ import annotations

import copy
import json
import logging
import re
import signal
import string
import threading
import time
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from click.testing import CliRunner

from tap_twilio.engine.prefetch import WORKER
from tap_twilio.streams import STREAMS
from tap_twilio.tap import TapTwilio

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from sandbox import Sandbox
    from tap_twilio.streams.base import TwilioStream

SCHEMAS = Path(__file__).parents[2] / "schemas"

Record = dict[str, Any]

PATIENCE = 120
"""Seconds to wait for what is sure to come: a machine that does much else is slow."""


@dataclass
class Output:
    """What a run of the tap said."""

    exit_code: int
    lines: list[str]
    log: str
    messages: list[dict[str, Any]] = field(default_factory=list)
    text: str = ""

    def __post_init__(self) -> None:
        self.messages = [json.loads(line) for line in self.lines]

    def records(self, stream: str) -> list[Record]:
        return [
            message["record"]
            for message in self.messages
            if message["type"] == "RECORD" and message["stream"] == stream
        ]

    def counts(self, stream: str) -> tuple[int, int]:
        """The records and requests of a stream, as the summary has them."""
        row = re.search(rf"  {stream} +([\d,]+) +([\d,]+)( |$)", self.log, re.MULTILINE)
        assert row, f"the summary has no {stream}:\n{self.log}"
        return int(row[1].replace(",", "")), int(row[2].replace(",", ""))

    def of_type(self, kind: str) -> list[dict[str, Any]]:
        return [message for message in self.messages if message["type"] == kind]

    @property
    def by_stream(self) -> dict[str, list[Record]]:
        found: dict[str, list[Record]] = defaultdict(list)
        for message in self.of_type("RECORD"):
            found[message["stream"]].append(message["record"])
        return found

    @property
    def schemas(self) -> dict[str, dict[str, Any]]:
        return {message["stream"]: message for message in self.of_type("SCHEMA")}

    @property
    def state(self) -> dict[str, Any]:
        states = self.of_type("STATE")
        return states[-1]["value"] if states else {}

    def bookmark(self, stream: str, account_sid: str) -> str | None:
        for partition in self.state.get("bookmarks", {}).get(stream, {}).get("partitions", []):
            if partition["context"] == {"account_sid": account_sid}:
                value: str | None = partition.get("replication_key_value")
                return value
        return None


LEFT_ALONE = 5.0
"""Seconds after which a worker is left alone: its request may be one that is never answered."""


_busy: WeakSet[threading.Thread] = WeakSet()


@dataclass
class Runner:
    """Runs the tap as a user would: files in, messages out."""

    folder: Path
    handler: Any

    def __call__(
        self,
        config: dict[str, Any],
        *arguments: str,
        streams: Iterable[str] | None = None,
        catalog: dict[str, Any] | None = None,
        state: dict[str, Any] | None = None,
    ) -> Output:
        files = {"config": config}
        if streams is not None:
            catalog = catalog_of(streams)
        if catalog is not None:
            files["catalog"] = catalog
        if state is not None:
            files["state"] = state
        options = list(arguments)
        for name, content in files.items():
            path = self.folder / f"{name}.json"
            path.write_text(json.dumps(content))
            options += [f"--{name}", str(path)]
        return self.raw(*options)

    def raw(self, *arguments: str) -> Output:
        self.handler.clear()
        with a_run(self.handler):
            result = CliRunner().invoke(TapTwilio.cli, list(arguments))
        _let_workers_end()
        lines = result.stdout.splitlines()
        if result.exit_code == 0 and ("--discover" in arguments or "--about" in arguments):
            return Output(result.exit_code, [json.dumps(json.loads(result.stdout))], "")
        log = self.handler.text + (result.stderr or "")
        if "--test=estimate" in arguments:
            return Output(result.exit_code, [], log, text=result.stdout)
        return Output(result.exit_code, lines, log)

    def discover(self) -> dict[str, Any]:
        return self.raw("--discover").messages[0]


def _let_workers_end() -> None:
    """Wait for what was asked ahead and not wanted: the next run's requests may be counted."""
    for thread in threading.enumerate():
        if thread.name == WORKER and thread not in _busy:
            thread.join(LEFT_ALONE)
            if thread.is_alive():
                _busy.add(thread)


@cache
def discovered() -> dict[str, Any]:
    """What the tap says that there is, without settings: the same in each run of a process."""
    with a_run():
        catalog: dict[str, Any] = json.loads(
            CliRunner().invoke(TapTwilio.cli, ["--discover"]).stdout
        )
        return catalog


@contextmanager
def a_run(*handlers: logging.Handler) -> Iterator[None]:
    """Take away what a run leaves in its process: its log handlers, and what it does on signals.

    Args:
        handlers: Where it shall log besides.
    """
    root = logging.getLogger()
    before = root.handlers
    on_signals = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    root.handlers = [*before, *handlers]
    try:
        yield
    finally:
        root.handlers = before
        for number, handler in on_signals.items():
            signal.signal(number, handler)


@dataclass
class Recorded:
    """A run, and the traffic below it.

    Attributes:
        twilio: The simulated Twilio.
        output: What the tap said.
        answers: What Twilio said: product, path, account and body.
        addresses: Where connections went.
    """

    twilio: Sandbox
    output: Output
    answers: list[tuple[str, str, str, dict[str, Any]]]
    addresses: set[Any]


class LogKeeper(logging.Handler):
    """Keeps what is logged, as it would be shown."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(logging.Formatter("%(levelname)s %(name)s %(message)s"))
        self._lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.append(self.format(record))

    def clear(self) -> None:
        self._lines.clear()

    @property
    def text(self) -> str:
        return "\n".join(self._lines)


def catalog_of(streams: Iterable[str]) -> dict[str, Any]:
    """Make a catalog of these streams alone. A run with the whole catalog takes much longer.

    Args:
        streams: Names of the streams.
    """
    known = {entry["tap_stream_id"]: entry for entry in discovered()["streams"]}
    names = sorted(set(streams))
    return select(copy.deepcopy({"streams": [known[name] for name in names]}), names)


def select(catalog: dict[str, Any], streams: Iterable[str]) -> dict[str, Any]:
    """Select these streams and no others."""
    wanted = set(streams)
    known = {stream["tap_stream_id"] for stream in catalog["streams"]}
    assert wanted <= known, f"no such streams: {wanted - known}"
    for stream in catalog["streams"]:
        for entry in stream["metadata"]:
            if entry["breadcrumb"] == []:
                entry["metadata"]["selected"] = stream["tap_stream_id"] in wanted
    return catalog


def config_for(twilio: Sandbox, **settings: Any) -> dict[str, Any]:
    """Settings that read a sandbox."""
    return {
        "account_sid": twilio.account_sid,
        "auth_token": twilio.auth_token,
        "base_url": twilio.base_url,
        "retry_delay": 0.01,
        **settings,
    }


def wait_until(condition: Callable[[], object], what: str) -> None:
    """Wait for something that other threads or processes do."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not in {PATIENCE} s"
        time.sleep(0.01)


def utc_now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def schema_of(stream: type[TwilioStream]) -> dict[str, Any]:
    """The stream's schema file."""
    return dict(json.loads((SCHEMAS / stream.product / f"{stream.name}.json").read_text()))


def wire_path(stream: type[TwilioStream]) -> str:
    """The endpoint's path as Twilio's documents spell it."""
    return str(schema_of(stream)["x-twilio"]["path"])


def truth(twilio: Sandbox, stream: type[TwilioStream]) -> list[Record]:
    """What the server holds for a stream in all accounts, typed by hand as its schema says."""
    schema = schema_of(stream)
    facts = schema["x-twilio"]
    names = [name for _, name, *_ in string.Formatter().parse(stream.path) if name]
    rows: dict[object, Record] = {}
    for account in twilio.accounts:
        for row in twilio.truth(stream.product, wire_path(stream), account_sid=account.sid):
            values = [value for name, value in row.path_values.items() if name != "AccountSid"]
            parents = dict(zip([n for n in names if n != "account_sid"], values, strict=True))
            if stream.parent_stream_type is not None:
                parents["account_sid"] = account.sid
            # An endpoint that doesn't list gives the first of a place's rows.
            place = len(rows) if facts["data_key"] else tuple(parents.values())
            rows.setdefault(place, row | {k: v for k, v in parents.items() if row.get(k) is None})
    return [typed(row, schema["properties"]) for row in rows.values()]


def typed(row: Record, properties: dict[str, Any]) -> Record:
    """The documented conversions, written a second time and with no regard to speed."""
    return {name: _typed(value, properties.get(name)) for name, value in row.items()}


def _typed(value: Any, schema: Any) -> Any:
    types = schema.get("type", []) if isinstance(schema, dict) else []
    kinds = [types] if isinstance(types, str) else [kind for kind in types if kind != "null"]
    if value is None or len(kinds) != 1:
        return value
    form = schema.get("format")
    result = value
    if isinstance(value, dict) and kinds == ["object"]:
        known, others = schema.get("properties", {}), schema.get("additionalProperties")
        others = others if isinstance(others, dict) else None
        result = {name: _typed(one, known.get(name, others)) for name, one in value.items()}
    elif isinstance(value, list) and kinds == ["array"]:
        result = [_typed(one, schema.get("items")) for one in value]
    elif value == "" and (kinds != ["string"] or form):
        result = None
    elif form == "date-time":
        rfc = schema.get("x-twilio-wire") == "rfc-2822"
        moment = parsedate_to_datetime(value) if rfc else datetime.fromisoformat(value)
        result = moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
    elif kinds == ["integer"]:
        result = int(value)
    elif kinds == ["number"]:
        result = float(value)
    elif kinds == ["string"] and isinstance(value, (dict, list)):
        result = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return result


def keyed(rows: Iterable[Record], keys: Sequence[str]) -> dict[tuple[Any, ...], Record]:
    """Rows by their key; a key that comes twice is an error."""
    found: dict[tuple[Any, ...], Record] = {}
    for row in rows:
        key = tuple(row.get(name) for name in keys)
        assert key not in found, f"{key} comes twice"
        found[key] = row
    return found


STREAMS_BY_NAME = {stream.name: stream for stream in STREAMS}


def assert_complete(output: Output, twilio: Sandbox, *names: str) -> None:
    """Each stream has exactly the server's rows, once each and typed as documented."""
    for name in names:
        stream = STREAMS_BY_NAME[name]
        got = keyed(output.records(name), stream.primary_keys)
        want = keyed(truth(twilio, stream), stream.primary_keys)
        assert got.keys() == want.keys(), (
            f"{name}: {len(want.keys() - got.keys())} missing, "
            f"{len(got.keys() - want.keys())} too many"
        )
        for key, row in want.items():
            volatile = {"as_of"}
            mine = {k: v for k, v in got[key].items() if k not in volatile}
            theirs = {k: v for k, v in row.items() if k not in volatile}
            assert mine == theirs, f"{name} {key}"
