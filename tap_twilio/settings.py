"""The tap's settings: what they are, and what they mean together."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from jsonschema import Draft202012Validator
from requests.auth import HTTPBasicAuth
from singer_sdk import typing as th

from tap_twilio import declarations
from tap_twilio.hosts import EDGES, Hosts
from tap_twilio.windows import parse_moment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tap_twilio.declarations import Declaration

REQUESTS = 24
"""Requests in flight in a run, unless told otherwise: a quarter of the 100 that users report for an
account, so that most of it is left to their applications. Streams of one request for each parent
would gain from more."""

MOMENT_FORMS = "a date (2026-01-31), a date-time (2026-01-31T08:00:00Z) or a time before now (P30D)"

SCHEMA: dict[str, Any] = th.PropertiesList(
    th.Property(
        "account_sid",
        th.StringType(nullable=False),
        required=True,
        title="Account SID",
        description="SID of the account to read; its subaccounts are found by themselves.",
        examples=["ACxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"],
    ),
    th.Property(
        "auth_token",
        th.StringType,
        secret=True,
        title="Auth token",
        description="Auth token of the account. Give either this or an API key.",
    ),
    th.Property(
        "api_key_sid",
        th.StringType,
        title="API key SID",
        description="SID of an API key: a Main, Standard or Restricted one.",
        examples=["SKxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"],
    ),
    th.Property(
        "api_key_secret",
        th.StringType,
        secret=True,
        title="API key secret",
        description="Secret of the API key.",
    ),
    th.Property(
        "subaccount_credentials",
        th.ObjectType(
            additional_properties=th.ObjectType(
                th.Property("auth_token", th.StringType(nullable=False)),
                th.Property("api_key_sid", th.StringType(nullable=False)),
                th.Property("api_key_secret", th.StringType(nullable=False)),
                additional_properties=False,
            )
        ),
        secret=True,
        title="Credentials of subaccounts",
        description="By account SID, an auth token or an API key of that account itself. They go "
        "before the tokens that the accounts list gives, and serve in all products.",
        examples=[
            {
                "ACxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx": {"auth_token": "its auth token"},
                "ACyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy": {
                    "api_key_sid": "SKxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
                    "api_key_secret": "the key's secret",
                },
            }
        ],
    ),
    th.Property(
        "region",
        th.StringType(allowed_values=list(EDGES)),
        title="Region",
        description="Region that holds the data, if not US1. Credentials are a region's own.",
        examples=["ie1", "au1"],
    ),
    th.Property(
        "edge",
        th.StringType,
        title="Edge",
        description="Edge by which to reach the region; by default the region's own.",
        examples=["dublin", "sydney"],
    ),
    th.Property(
        "base_url",
        th.StringType,
        title="Base URL",
        description="Address that stands in for all of Twilio's hosts, such as a gateway or the "
        "sandbox; the product's name becomes the first part of the path.",
        examples=["http://127.0.0.1:8400"],
    ),
    th.Property(
        "accounts",
        th.ArrayType(th.StringType(nullable=False)),
        title="Accounts",
        description="SIDs or friendly names of the accounts to read; by default all that the "
        "credentials see.",
        examples=[["ACxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "Marketing"]],
    ),
    th.Property(
        "include_subaccounts",
        th.BooleanType,
        default=True,
        title="Include subaccounts",
        description="Whether to read subaccounts besides the configured account.",
    ),
    th.Property(
        "start_date",
        th.StringType,
        title="Start date",
        description=f"Oldest moment to read: {MOMENT_FORMS}. By default all that Twilio keeps.",
        examples=["2026-01-01", "2026-01-31T08:00:00Z", "P30D"],
    ),
    th.Property(
        "end_date",
        th.StringType,
        title="End date",
        description=f"Moment up to which to read, itself not included: {MOMENT_FORMS}. By default "
        "the moment of the run.",
        examples=["2026-02-01", "P5D"],
    ),
    th.Property(
        "lookback_days",
        th.NumberType(minimum=0),
        title="Look-back in days",
        description="How far before its bookmark an incremental stream reads again, for rows that "
        "changed since; by default each stream's own (see the streams table).",
        examples=[7],
    ),
    th.Property(
        "skip_unchanged",
        th.BooleanType,
        default=False,
        title="Skip unchanged rows",
        description="Whether lists that have no date filter, but a date_updated, give only rows "
        "that changed since the last run. They are read whole in any case.",
    ),
    th.Property(
        "include_deleted_recordings",
        th.BooleanType,
        default=False,
        title="Include deleted recordings",
        description="Whether to read recordings that were deleted within the last 40 days; their "
        "status is deleted.",
    ),
    th.Property(
        "emit_activate_version_messages",
        th.BooleanType,
        default=False,
        title="Emit ACTIVATE_VERSION messages",
        description="Whether to let the target drop rows that are gone at Twilio, of streams that "
        "a run reads whole, in all accounts and without trouble. The target must support it.",
    ),
    th.Property(
        "page_size",
        th.IntegerType(minimum=1, maximum=5000),
        title="Page size",
        description="Rows to ask for at once; by default, and at most, each endpoint's maximum.",
        examples=[200],
    ),
    th.Property(
        "max_records",
        th.IntegerType(minimum=1),
        title="Most records",
        description="Stop after so many rows of each stream and account: a preview. Bookmarks "
        "don't move.",
        examples=[100],
    ),
    th.Property(
        "filters",
        th.ObjectType(additional_properties=th.ObjectType(additional_properties=True)),
        title="Filters",
        description="Per stream, the endpoint's own query parameters in snake case. A list means "
        "one request chain for each of its values.",
        examples=[
            {
                "messages": {"to": "+15551234567"},
                "calls": {"status": ["completed", "busy"]},
                "alerts": {"log_level": "error"},
                "usage_records_daily": {"category": ["sms", "calls"]},
            }
        ],
    ),
    th.Property(
        "custom_streams",
        th.ArrayType(declarations.TYPE),
        title="Custom streams",
        description="Streams of any other endpoint of Twilio's: for each a name, and a url or a "
        "product and path. README has a recipe.",
        examples=[declarations.EXAMPLE],
    ),
    th.Property(
        "pii",
        th.StringType(allowed_values=["keep", "hash", "drop"]),
        default="keep",
        title="Personal data",
        description="What becomes of fields that hold personal data: kept, hashed with pii_key, "
        "or dropped. Keys and SIDs are kept in any case.",
    ),
    th.Property(
        "pii_key",
        th.StringType,
        secret=True,
        title="Key for hashes",
        description="Secret text that hashes of personal data depend on: equal values have equal "
        "hashes in all streams and runs that share it. Make it long and random.",
    ),
    th.Property(
        "user_agent",
        th.StringType,
        title="User agent",
        description="How the tap names itself to Twilio; by default its name and version.",
    ),
    th.Property(
        "request_timeout",
        th.NumberType(exclusive_minimum=0),
        default=60,
        title="Request timeout",
        description="Seconds to wait for an answer.",
    ),
    th.Property(
        "max_retries",
        th.IntegerType(minimum=0),
        default=8,
        title="Most retries",
        description="How often a request that failed is made again before its window is given up.",
    ),
    th.Property(
        "retry_delay",
        th.NumberType(minimum=0),
        default=1,
        title="Retry delay",
        description="Seconds before the first retry; doubled for each further one, up to 60.",
    ),
    th.Property(
        "max_concurrent_requests",
        th.IntegerType(minimum=1, maximum=100),
        default=REQUESTS,
        title="Most concurrent requests",
        description="Upper bound on requests in flight; each account starts with 4, and the number "
        "adapts below it to what Twilio bears.",
    ),
).to_dict()


class SettingsError(ValueError):
    """Settings that make no sense; ``errors`` has a sentence for each."""

    def __init__(self, errors: list[str]) -> None:
        """Keep the sentences.

        Args:
            errors: One sentence a mistake, each naming its setting.
        """
        super().__init__("; ".join(errors))
        self.errors = errors


@dataclass(frozen=True)
class Settings:
    """Settings that have been found to make sense.

    Attributes are the settings of the same names; dates are moments in UTC.
    """

    account_sid: str
    signature: HTTPBasicAuth = field(repr=False)
    hosts: Hosts
    now: datetime
    start: datetime | None
    end: datetime | None
    subaccount_signatures: Mapping[str, HTTPBasicAuth] = field(default_factory=dict, repr=False)
    accounts: tuple[str, ...] = ()
    include_subaccounts: bool = True
    lookback_days: float | None = None
    skip_unchanged: bool = False
    include_deleted_recordings: bool = False
    emit_activate_version_messages: bool = False
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


def secrets(config: Mapping[str, Any]) -> Iterator[object]:
    """Give the values of settings that must never be shown.

    Args:
        config: The configuration as given, sensible or not.

    Yields:
        Each such value.
    """
    for name, schema in SCHEMA["properties"].items():
        if schema.get("secret"):
            yield from _texts(config.get(name))


def _texts(value: object) -> Iterator[object]:
    """Give the texts in a secret, whatever its form; SIDs of accounts and keys aren't secret."""
    if isinstance(value, dict):
        for name, one in value.items():
            if name != "api_key_sid":
                yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)
    else:
        yield value


def parse(
    config: Mapping[str, Any], *, properties: Mapping[str, Any], user_agent: str, now: datetime
) -> Settings:
    """Check the settings and give them their meaning.

    Args:
        config: The configuration as given.
        properties: JSON schemas of all settings, the SDK's own among them.
        user_agent: What ``user_agent`` is by default.
        now: The moment of the run.

    Returns:
        The settings.

    Raises:
        SettingsError: Something makes no sense.
    """
    given = {
        name: _plain_number(value, properties.get(name, {}))
        for name, value in config.items()
        if value not in (None, "")
    }
    errors = [*_unknown(given, properties), *_misfits(given, properties)]
    if errors:
        raise SettingsError(errors)
    moments: dict[str, datetime | None] = {}
    for name in ("start_date", "end_date"):
        try:
            moments[name] = parse_moment(given[name], now) if name in given else None
        except ValueError:
            errors.append(f"{name}: {given[name]!r} is not {MOMENT_FORMS}")
    start, end = moments.get("start_date"), moments.get("end_date")
    if start is not None and start >= (end or now):
        bound = "end_date" if end else "now"
        errors.append(f"start_date: {given['start_date']} is not before {bound}; nothing to read")
    hosts = Hosts(given.get("region"), given.get("edge"), given.get("base_url"))
    declared, mistakes = declarations.read(given.get("custom_streams", ()), hosts)
    errors += [*_credentials(given), *_addresses(given), *mistakes]
    if given.get("pii") == "hash" and "pii_key" not in given:
        errors.append("pii_key: it is required to hash personal data; give any long random text")
    if errors:
        raise SettingsError(errors)
    return Settings(
        account_sid=given["account_sid"],
        signature=_signature(given["account_sid"], given),
        subaccount_signatures={
            sid: _signature(sid, one)
            for sid, one in given.get("subaccount_credentials", {}).items()
        },
        hosts=hosts,
        now=now,
        start=start,
        end=end if end is None or end <= now else None,
        accounts=tuple(given.get("accounts", ())),
        custom_streams=tuple(declared),
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
    """Give the moment of a run.

    Returns:
        Now, in UTC, to the second.
    """
    return datetime.now(UTC).replace(microsecond=0)


def did_you_mean(name: str, names: Iterator[str] | list[str]) -> str:
    """Help with a name that doesn't exist.

    Args:
        name: What was given.
        names: What there is.

    Returns:
        The end of a sentence: the nearest name, or all of them.
    """
    known = sorted(names)
    close = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {close[0]!r}?" if close else f"there are: {', '.join(known)}"


def _plain_number(value: Any, schema: Mapping[str, Any]) -> Any:  # noqa: ANN401
    """Undo what the SDK makes of a number: a string in the environment, a decimal in a file."""
    if isinstance(value, (str, Decimal)) and "number" in schema.get("type", ()):
        try:
            return float(value)
        except ValueError:
            return value
    return value


def _unknown(given: Mapping[str, Any], properties: Mapping[str, Any]) -> Iterator[str]:
    for name in given:
        if name not in properties:
            yield f"{name}: there is no such setting; {did_you_mean(name, list(properties))}"


def _misfits(given: Mapping[str, Any], properties: Mapping[str, Any]) -> Iterator[str]:
    if "account_sid" not in given:
        yield "account_sid: it is required; it looks like ACxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
    for name, value in given.items():
        schema = properties.get(name, {})
        for error in Draft202012Validator(schema).iter_errors(value):
            where = ".".join([name, *map(str, error.absolute_path)])
            # The validator's words quote the value, and that of a secret is nobody's business.
            what = "it has the wrong form" if schema.get("secret") else error.message
            examples = schema.get("examples")
            yield f"{where}: {what}" + (f"; for example {examples[0]!r}" if examples else "")


def _credentials(given: Mapping[str, Any]) -> Iterator[str]:
    yield from _signs(given, "")
    if not given["account_sid"].startswith("AC"):
        yield "account_sid: an account's SID begins with AC; an API key goes into api_key_sid"
    for sid, own in given.get("subaccount_credentials", {}).items():
        where = f"subaccount_credentials.{sid}"
        if not sid.startswith("AC"):
            yield f"{where}: an account's SID begins with AC"
        elif sid == given["account_sid"]:
            yield f"{where}: this is account_sid itself, which has settings of its own"
        yield from _signs(own, f"{where}.")


def _signs(given: Mapping[str, Any], where: str) -> Iterator[str]:
    token = "auth_token" in given
    key = [name for name in ("api_key_sid", "api_key_secret") if name in given]
    if token and key:
        both = ", ".join(key)
        yield f"{where}auth_token: give either auth_token or an API key, not both ({both})"
    elif len(key) == 1:
        other = {"api_key_sid": "api_key_secret", "api_key_secret": "api_key_sid"}[key[0]]
        yield f"{where}{other}: it is required beside {key[0]}"
    elif not token and not key:
        yield f"{where}auth_token: it is required, or else api_key_sid and api_key_secret"
    if not given.get("api_key_sid", "SK").startswith("SK"):
        yield f"{where}api_key_sid: an API key's SID begins with SK"


def _addresses(given: Mapping[str, Any]) -> Iterator[str]:
    base_url = given.get("base_url")
    if base_url is None:
        return
    url = urlsplit(base_url)
    if url.scheme not in {"http", "https"} or not url.hostname or url.query or url.username:
        yield "base_url: it is not an address such as http://127.0.0.1:8400"
    if "region" in given or "edge" in given:
        yield "base_url: give either base_url or region and edge"


def _signature(account_sid: str, given: Mapping[str, Any]) -> HTTPBasicAuth:
    if "auth_token" in given:
        return HTTPBasicAuth(account_sid, given["auth_token"])
    return HTTPBasicAuth(given["api_key_sid"], given["api_key_secret"])
