"""The target's settings: what they are, and what they mean together."""

from __future__ import annotations

import stat
from dataclasses import dataclass, field
from datetime import time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from tap_twilio.config import checks
from tap_twilio.config.hosts import Hosts
from tap_twilio.http.errors import TapError
from target_twilio.actions import ACTIONS, DELETIONS
from target_twilio.addresses import digits, normal
from target_twilio.guards import Recipients, Window

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tap_twilio.http.signatures import Signature

MAY_BE_EMPTY: Final = frozenset(
    {
        "account_sid",
        "auth_token",
        "api_key_sid",
        "api_key_secret",
        "client_id",
        "client_secret",
        "from",
        "messaging_service_sid",
    }
)
"""Settings that count as not given when empty, as in files with lines for all of a kind."""

NOT_LASTING: Final = ("/dev", "/proc", "/sys", "/run")
"""Folders that live as long as the machine runs, or shorter."""

IN_MEMORY: Final = frozenset({"ramfs", "tmpfs"})
"""Kinds of file systems that end with the machine, or with the container."""

MOUNTS: Final = Path("/proc/self/mounts")
"""Where Linux tells what is mounted: device, folder, kind and more, a line each."""

_NAMED: Final = ("send", "max_rows", "rate", "max_failures", "allow_deletions", "unsure")


@dataclass(frozen=True)
class Settings:
    """Settings that have been found to make sense.

    Attributes are the settings of the same names.
    """

    account_sid: str
    signature: Signature = field(repr=False)
    hosts: Hosts
    user_agent: str
    sender: str | None = None
    messaging_service_sid: str | None = None
    ledger_path: Path | None = None
    results_path: Path | None = None
    streams: Mapping[str, str] = field(default_factory=dict)
    allow_recipients: Recipients | None = None
    deny_recipients: Recipients | None = None
    send_window: Window | None = None
    settle: timedelta = timedelta(minutes=60)
    settle_delay: float = 30.0
    stops_on_error: bool = False
    send: bool = False
    max_rows: int = 1000
    rate: float = 10.0
    max_failures: int = 20
    allow_deletions: bool = False
    unsure: str = "hold"


def parse(config: Mapping[str, Any], *, properties: Mapping[str, Any], user_agent: str) -> Settings:
    """Check the settings and give them their meaning.

    Args:
        properties: JSON schemas of all settings, the SDK's own among them.

    Raises:
        SettingsError: Something makes no sense.
    """
    given, missing = checks.given(config, properties, MAY_BE_EMPTY)
    errors: list[str] = []
    window: Window | None = None
    try:
        window = _window(given["send_window"]) if "send_window" in given else None
    except ValueError as error:
        errors.append(checks.short(f"send_window.{error}"))
    errors += [*checks.addresses(given), *checks.credentials(given), *_senders(given)]
    errors += [*_files(given), *_lists(given), *_deletions(given)]
    if errors or missing:
        raise checks.SettingsError([*missing, *errors], is_unsigned=not errors)
    hosts = Hosts(given.get("region"), given.get("edge"), given.get("base_url"))
    return Settings(
        account_sid=given["account_sid"],
        signature=checks.signature(given["account_sid"], given, hosts),
        hosts=hosts,
        user_agent=user_agent,
        sender=normal(given["from"]) or given["from"] if "from" in given else None,
        messaging_service_sid=given.get("messaging_service_sid"),
        ledger_path=_path(given, "ledger_path"),
        results_path=_path(given, "results_path"),
        streams=given.get("streams", {}),
        allow_recipients=_people(given, "allow_recipients"),
        deny_recipients=_people(given, "deny_recipients"),
        send_window=window,
        settle=timedelta(minutes=float(given.get("settle", 60))),
        settle_delay=float(given.get("settle_delay", 30)),
        stops_on_error=given.get("on_error") == "stop",
        **{name: given[name] for name in _NAMED if name in given},
    )


def _path(given: Mapping[str, Any], name: str) -> Path | None:
    return Path(given[name]) if name in given else None


def _people(given: Mapping[str, Any], name: str) -> Recipients | None:
    return Recipients(given[name]) if name in given else None


def _senders(given: Mapping[str, Any]) -> Iterator[str]:
    if "from" in given and "messaging_service_sid" in given:
        yield "from: give either from or messaging_service_sid as default, not both"


def _files(given: Mapping[str, Any]) -> Iterator[str]:
    if given.get("send") and "ledger_path" not in given:
        yield "ledger_path: it is required beside send: without it rows would be sent twice"
    transient = _transient(given.get("ledger_path", "."))
    if transient is not None:
        yield f"ledger_path: {transient}, and so would forget what was sent; name a file on a disk"
    for name in ("results_path",) if transient is not None else ("ledger_path", "results_path"):
        if name in given and (reason := _unusable(given[name])):
            yield f"{name}: {reason}"
    both = [given.get(name) for name in ("ledger_path", "results_path")]
    if None not in both and len({Path(str(one)).resolve() for one in both}) == 1:
        yield "results_path: it is the ledger; name another file"


def _transient(path: str) -> str | None:
    """Tell why a ledger wouldn't last."""
    if path.startswith((":", "file:")):
        return "it is no plain path of a file"
    real = Path(path).resolve()
    if any(real.is_relative_to(folder) for folder in NOT_LASTING):
        return "it does not last"
    if file_system(real, MOUNTS) in IN_MEMORY:
        return "it is in memory"
    return None


def file_system(real: Path, mounts: Path) -> str | None:
    """Tell the kind of file system that a resolved path is on, where the system tells."""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    kinds = {}
    for line in lines:
        _, folder, kind, *_ = line.split(" ")
        # The last of those at one place lies over the others; blanks in names are escaped.
        kinds[folder.replace("\\040", " ")] = kind
    return next((kinds[str(one)] for one in (real, *real.parents) if str(one) in kinds), None)


def _unusable(path: str) -> str | None:
    if "\0" in path:
        return "it is no path"
    real = Path(path).resolve()
    try:
        mode = real.stat().st_mode if real.exists() else None
        if mode is not None and not stat.S_ISREG(mode):
            return "it is not a file"
        if not real.parent.is_dir():
            return "its folder is not there; make it first"
    except OSError as error:
        return f"it can't be used ({error.strerror})"
    return None


def _lists(given: Mapping[str, Any]) -> Iterator[str]:
    for name in ("allow_recipients", "deny_recipients"):
        for place, entry in enumerate(given.get(name, ())):
            if not digits(entry):
                yield f"{name}.{place}: it has no digits, and so stands for nobody"


def _deletions(given: Mapping[str, Any]) -> Iterator[str]:
    if given.get("allow_deletions"):
        return
    for stream, action in given.get("streams", {}).items():
        if action == DELETIONS:
            yield f"streams.{stream}: {forbidden()}"


def forbidden() -> str:
    """Say that deletions need their switch."""
    return "rows of message_deletions delete for good; set allow_deletions to true if they shall"


def _window(given: Mapping[str, str]) -> Window:
    bounds = {}
    for name in ("start", "end"):
        try:
            bounds[name] = time.fromisoformat(given[name])
        except ValueError:
            msg = f"{name}: {given[name]!r} is not a time of day such as 09:00"
            raise ValueError(msg) from None
        if bounds[name].tzinfo is not None:
            msg = f"{name}: {given[name]!r} has a zone; time_zone says which"
            raise ValueError(msg)
    if bounds["start"] == bounds["end"]:
        msg = "end: it is the same as start, so that nobody can tell what is meant"
        raise ValueError(msg)
    try:
        zone = ZoneInfo(given["time_zone"])
    except (KeyError, OSError, ValueError):
        msg = f"time_zone: there is no zone {given['time_zone']!r}; one is Europe/Berlin"
        raise ValueError(msg) from None
    return Window(bounds["start"], bounds["end"], zone)


def action_of(stream: str, settings: Settings) -> str:
    """Find what the rows of a stream have done.

    Raises:
        TapError: Nothing says it, or it may not be done.
    """
    name = settings.streams.get(stream, stream)
    if name not in ACTIONS:
        hint = checks.did_you_mean(stream, list(ACTIONS))
        sentence = f"streams: nothing says what rows of {stream!r} have done; as an action {hint}"
        raise TapError(checks.short(sentence))
    if name == DELETIONS and not settings.allow_deletions:
        msg = f"{stream}: {forbidden()}"
        raise TapError(msg)
    return name
