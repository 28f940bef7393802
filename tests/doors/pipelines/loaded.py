"""What must be in a warehouse: exactly the server's rows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from harness import SCHEMAS, STREAMS_BY_NAME, keyed, truth, typed, wire_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from sandbox import Sandbox

DATED = ("alerts", "calls", "conferences", "messages", "recordings", "usage_records_daily")
SELECTED = ("accounts", "incoming_phone_numbers", *DATED)
# The moment of reading, and what never leaves the tap.
LEFT_OUT = {"as_of", "auth_token"}
# What targets add.
OWN = "_sdc_"


def properties(name: str) -> dict[str, Any]:
    stream = STREAMS_BY_NAME[name]
    return json.loads((SCHEMAS / stream.product / f"{name}.json").read_text())["properties"]


def held(twilio: Sandbox, name: str) -> list[dict[str, Any]]:
    """A stream's rows at the server."""
    stream = STREAMS_BY_NAME[name]
    if not name.startswith("usage_records"):
        return truth(twilio, stream)
    # Each account's own: unless told otherwise, Twilio adds up the subaccounts' in their parent's.
    rows = [
        row
        for account in twilio.accounts
        for row in twilio.usage(wire_path(stream), account.sid, IncludeSubaccounts="false")
    ]
    return [typed(row, properties(name)) for row in rows]


def assert_loaded(
    name: str,
    rows: Iterable[Mapping[str, Any]],
    twilio: Sandbox,
    *,
    empty: object = "",
    wanted: Callable[[Mapping[str, Any]], bool] = lambda _: True,
) -> None:
    """A stream's rows are the server's, each once and with all its values.

    Args:
        name: The stream.
        rows: What was loaded.
        twilio: The server.
        empty: What the target makes of an empty string.
        wanted: Which of the server's rows were asked for; by default all.
    """
    keys = STREAMS_BY_NAME[name].primary_keys
    got = keyed(map(_comparable, rows), keys)
    want = {
        tuple(row[key] for key in keys): row
        for row in (_comparable(row, empty) for row in filter(wanted, held(twilio, name)))
    }
    assert want, f"{name}: the sandbox has none"
    assert got.keys() == want.keys(), (
        f"{name}: {len(want.keys() - got.keys())} missing, {len(got.keys() - want.keys())} too many"
    )
    for key, row in want.items():
        differing = [f for f in got[key].keys() | row.keys() if got[key].get(f) != row.get(f)]
        told = {field: (got[key].get(field), row.get(field)) for field in differing}
        assert not told, f"{name} {key}: {told}"


def _comparable(row: Mapping[str, Any], empty: object = "") -> dict[str, Any]:
    """Drop what has no value; moments are in UTC, with or without saying so."""
    return {
        name: value.removesuffix("Z") if _is_moment(value) else value
        for name, given in row.items()
        if not name.startswith(OWN) and name not in LEFT_OUT
        if (value := empty if given == "" else given) is not None
    }


def _is_moment(value: object) -> bool:
    return isinstance(value, str) and len(value) == len("2026-01-31T08:00:00Z") and value[-1] == "Z"
