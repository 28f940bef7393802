"""The tap's settings: what they are, and what they mean together."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tap_twilio.config import checks, declarations
from tap_twilio.config.batches import Batches
from tap_twilio.config.hosts import Hosts
from tap_twilio.config.schema import EXPORTED, MOMENT_FORMS, REQUESTS
from tap_twilio.resource.windows import EPOCH, iso, parse_moment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tap_twilio.config.declarations import Declaration
    from tap_twilio.http.signatures import Signature

MAY_BE_EMPTY = frozenset(
    {
        "account_sid",
        "auth_token",
        "api_key_sid",
        "api_key_secret",
        "client_id",
        "client_secret",
        "subaccount_credentials",
        "pii_key",
    }
)
"""Settings that count as not given when empty, as in files with lines for all kinds of credentials:
what needs them says so. With any other, more would be read or shown than meant, or go elsewhere."""


@dataclass(frozen=True)
class Orders:
    """Days of which to order files.

    Attributes:
        first: In ISO 8601.
        last: Likewise; none for the newest that Twilio takes an order for.
        kinds: What kinds of records.
    """

    first: str
    last: str | None
    kinds: tuple[str, ...]


@dataclass(frozen=True)
class Settings:
    """Settings that have been found to make sense.

    Attributes are the settings of the same names; dates are moments in UTC. Without an order,
    ``bulkexport`` is none.
    """

    account_sid: str
    signature: Signature = field(repr=False)
    hosts: Hosts
    now: datetime
    start: datetime | None
    end: datetime | None
    subaccount_signatures: Mapping[str, Signature] = field(default_factory=dict, repr=False)
    accounts: tuple[str, ...] = ()
    include_subaccounts: bool = True
    lookback_days: float | None = None
    skip_unchanged: bool = False
    include_deleted_recordings: bool = False
    emit_activate_version_messages: bool = False
    batch_config: Batches | None = None
    bulkexport: Orders | None = None
    page_size: int | None = None
    max_records: int | None = None
    filters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    custom_streams: tuple[Declaration, ...] = ()
    pii: str = "keep"
    pii_key: str = field(default="", repr=False)
    user_agent: str = "tap-twilio"
    request_timeout: float = 60.0
    max_retries: int = 8
    retry_delay: float = 1.0
    max_concurrent_requests: int = REQUESTS


def parse(
    config: Mapping[str, Any], *, properties: Mapping[str, Any], user_agent: str, now: datetime
) -> Settings:
    """Check the settings and give them their meaning.

    Args:
        properties: JSON schemas of all settings, the SDK's own among them.
        user_agent: The default of the setting ``user_agent``.

    Raises:
        SettingsError: Something makes no sense.
    """
    given, missing = checks.given(config, properties, MAY_BE_EMPTY)
    errors: list[str] = []
    moments: dict[str, datetime] = {}
    for name in ("start_date", "end_date"):
        try:
            if name in given:
                moments[name] = _moment(given[name], now)
        except ValueError as error:
            errors.append(checks.short(f"{name}: {given[name]!r} {error}"))
    start, end = moments.get("start_date"), moments.get("end_date")
    if start is not None and start >= (end or now):
        bound = "end_date" if end else "now"
        errors.append(f"start_date: {given['start_date']} is not before {bound}; nothing to read")
    orders, mistakes = _orders(given.get("bulkexport", {}), start, now)
    errors += map(checks.short, mistakes)
    misplaced = list(checks.addresses(given))
    declared: list[Declaration] = []
    hosts = Hosts()
    if not misplaced:
        hosts = Hosts(given.get("region"), given.get("edge"), given.get("base_url"))
        declared, mistakes = declarations.read(given.get("custom_streams", ()), hosts)
        errors += map(checks.short, mistakes)
    batch_config = None
    try:
        batch_config = Batches.of(given["batch_config"]) if "batch_config" in given else None
    except checks.SettingsError as error:
        errors += error.errors
    errors += [*misplaced, *checks.credentials(given), *_headers(given), *_choices(given)]
    if errors or missing:
        raise checks.SettingsError([*missing, *errors], is_unsigned=not errors)
    return Settings(
        account_sid=given["account_sid"],
        signature=checks.signature(given["account_sid"], given, hosts),
        subaccount_signatures={
            sid: checks.signature(sid, checks.filled(one), hosts)
            for sid, one in given.get("subaccount_credentials", {}).items()
        },
        hosts=hosts,
        now=now,
        start=start,
        end=end if end is None or end <= now else None,
        accounts=tuple(given.get("accounts", ())),
        custom_streams=tuple(declared),
        batch_config=batch_config,
        bulkexport=orders,
        user_agent=given.get("user_agent", user_agent),
        **{
            name: given[name]
            for name in (
                "include_subaccounts",
                "lookback_days",
                "skip_unchanged",
                "include_deleted_recordings",
                "emit_activate_version_messages",
                "page_size",
                "max_records",
                "filters",
                "pii",
                "pii_key",
                "request_timeout",
                "max_retries",
                "retry_delay",
                "max_concurrent_requests",
            )
            if name in given
        },
    )


def now_utc() -> datetime:
    """Give the moment of a run: now, in UTC, to the second."""
    return datetime.now(UTC).replace(microsecond=0)


def _moment(text: str, now: datetime) -> datetime:
    """Read a date of the settings; errors end a sentence that begins with it."""
    try:
        moment = parse_moment(text, now)
    except ValueError:
        msg = f"is not {MOMENT_FORMS}"
        raise ValueError(msg) from None
    if moment < EPOCH:
        msg = f"is before {EPOCH.year}, Twilio's first year; leave the setting away to read all"
        raise ValueError(msg)
    if moment.year > now.year + 1:
        msg = f"is after {now.year + 1}; leave the setting away to read up to now"
        raise ValueError(msg)
    return moment


def _orders(
    given: Mapping[str, Any], start: datetime | None, now: datetime
) -> tuple[Orders | None, list[str]]:
    """Give what to order, if anything, and sentences about what makes no sense."""
    errors: list[str] = []
    moments: dict[str, datetime] = {}
    for name in ("from", "to"):
        try:
            if name in given:
                moments[name] = parse_moment(given[name], now)
        except ValueError:
            errors.append(f"bulkexport.{name}: {given[name]!r} is not {MOMENT_FORMS}")
    days = {name: iso(max(moment, EPOCH))[:10] for name, moment in moments.items()}
    if errors or not given.get("order"):
        return None, errors
    if given.get("types") == []:
        errors.append("bulkexport.types: it names none; leave it away to order all")
    if "from" not in days:
        errors.append("bulkexport.from: it is required to order; give the first day")
    elif days["from"] > days.get("to", days["from"]):
        errors.append(f"bulkexport.from: {given['from']} is after bulkexport.to; nothing to order")
    elif start is not None and days["from"] < iso(start)[:10]:
        errors.append(
            f"bulkexport.from: {given['from']} is before start_date, so the tap would not read "
            "what it ordered"
        )
    if errors:
        return None, errors
    kinds = tuple(given.get("types") or EXPORTED)
    return Orders(days["from"], days.get("to"), kinds), []


def _headers(given: Mapping[str, Any]) -> Iterator[str]:
    name = given.get("user_agent", "")
    # More than this a header can't hold.
    if not name.isprintable() or name != name.encode("latin-1", "ignore").decode("latin-1"):
        yield "user_agent: it has characters that a header can't hold; for example 'etl/1.0'"


def _choices(given: Mapping[str, Any]) -> Iterator[str]:
    if "accounts" in given and not given["accounts"]:
        yield "accounts: it names none; leave the setting away to read all"
    if given.get("pii") == "hash":
        if "pii_key" not in given:
            yield "pii_key: it is required to hash personal data; give any long random text"
    elif given.get("pii", "keep") == "keep" and "pii_key" in given:
        yield "pii_key: it is of no use as long as pii is not hash, and personal data is kept"
    for stream, parameters in given.get("filters", {}).items():
        for name, value in parameters.items():
            values = declarations.on_wire(value)
            if "" in values:
                yield f"filters.{stream}.{name}: an empty value filters nothing"
            if again := declarations.repeated(values):
                yield checks.short(f"filters.{stream}.{name}: {again!r} comes twice")
