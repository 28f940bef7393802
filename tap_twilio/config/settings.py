"""The tap's settings: what they are, and what they mean together."""

from __future__ import annotations

import difflib
import itertools
import json
import math
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from jsonschema import Draft202012Validator
from requests.auth import HTTPBasicAuth

from tap_twilio.config import declarations
from tap_twilio.config.hosts import Hosts
from tap_twilio.config.schema import MOMENT_FORMS, REQUESTS, SCHEMA
from tap_twilio.resource.windows import EPOCH, parse_moment

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tap_twilio.config.declarations import Declaration

MAY_BE_EMPTY = frozenset(
    {
        "account_sid",
        "auth_token",
        "api_key_sid",
        "api_key_secret",
        "subaccount_credentials",
        "pii_key",
    }
)
"""Settings that count as not given when empty, as in files with lines for all kinds of credentials:
what needs them says so. With any other, more would be read or shown than meant, or go elsewhere."""

DEEPEST = 50
"""How deep lists and objects within a setting may be nested."""

LONGEST = 300
"""Characters of a sentence that quotes what was given."""

MOST_TOLD = 3
"""Sentences about one setting."""

MOST_NAMED = 50
"""Names that one sentence lists."""

WORDS = dict.fromkeys(("true", "1", "yes", "on"), True) | dict.fromkeys(
    ("false", "0", "no", "off"), False
)
"""Texts that stand for true and false."""

_SID = re.compile(r"(AC|SK)[0-9a-fA-F]{32}")
_CREDENTIAL = re.compile(r"[!-~]{1,256}")
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_HOST = r"[A-Za-z0-9_][A-Za-z0-9_-]{0,62}"
_ADDRESS = re.compile(
    rf"(?i:https?)://({_HOST}(\.{_HOST})*\.?|\[[0-9A-Fa-f:.]+\])(:[0-9]+)?(/[!-~]*)?"
)


class SettingsError(ValueError):
    """Settings that make no sense.

    Attributes:
        errors: One sentence a mistake, each naming its setting.
        is_unsigned: Whether nothing is wrong but that there are no credentials.
    """

    def __init__(self, errors: list[str], *, is_unsigned: bool = False) -> None:
        """Keep the sentences."""
        super().__init__("; ".join(errors))
        self.errors = errors
        self.is_unsigned = is_unsigned


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
    """Give the values that must never be shown, of a configuration that is sensible or not."""
    for name, schema in SCHEMA["properties"].items():
        if schema.get("secret"):
            yield from _texts(config.get(name))


def _texts(value: object) -> Iterator[object]:
    """Give the texts in a secret, whatever its form; SIDs of accounts and keys aren't secret."""
    left = [value]
    while left:
        one = left.pop()
        if isinstance(one, dict):
            left += [inner for name, inner in one.items() if name != "api_key_sid"]
        elif isinstance(one, list):
            left += one
        else:
            yield one


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
    given = {
        name: _plain_number(value, properties.get(name, {}))
        for name, value in config.items()
        if value is not None and not (value == "" and name in MAY_BE_EMPTY)
    }
    missing, errors = list(_missing(given)), list(_misfits(given, properties))
    if errors:
        raise SettingsError([*missing, *errors])
    moments: dict[str, datetime] = {}
    for name in ("start_date", "end_date"):
        try:
            if name in given:
                moments[name] = _moment(given[name], now)
        except ValueError as error:
            errors.append(short(f"{name}: {given[name]!r} {error}"))
    start, end = moments.get("start_date"), moments.get("end_date")
    if start is not None and start >= (end or now):
        bound = "end_date" if end else "now"
        errors.append(f"start_date: {given['start_date']} is not before {bound}; nothing to read")
    misplaced = list(_addresses(given))
    declared: list[Declaration] = []
    hosts = Hosts()
    if not misplaced:
        hosts = Hosts(given.get("region"), given.get("edge"), given.get("base_url"))
        declared, mistakes = declarations.read(given.get("custom_streams", ()), hosts)
        errors += map(short, mistakes)
    errors += [*misplaced, *_credentials(given), *_headers(given), *_choices(given)]
    if errors or missing:
        raise SettingsError([*missing, *errors], is_unsigned=not errors)
    return Settings(
        account_sid=given["account_sid"],
        signature=_signature(given["account_sid"], given),
        subaccount_signatures={
            sid: _signature(sid, _filled(one))
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
    """Give the moment of a run: now, in UTC, to the second."""
    return datetime.now(UTC).replace(microsecond=0)


def did_you_mean(name: str, names: Iterator[str] | list[str]) -> str:
    """End a sentence on an unknown name: with the nearest name, or all if they aren't many."""
    known = sorted(names)
    close = difflib.get_close_matches(name, known, n=1)
    if close:
        return f"did you mean {close[0]!r}?"
    if len(known) > MOST_NAMED:
        return f"it is like none of the {len(known)} that there are"
    return f"there are: {', '.join(known)}"


def from_text(text: str, schema: Mapping[str, Any]) -> Any:  # noqa: ANN401
    """Read a setting that comes as text, as from the environment; nonsense stays for ``parse``."""
    kinds = schema.get("type", ())
    if "string" in kinds:
        return text
    if "boolean" in kinds:
        return WORDS.get(text.strip().lower(), text)
    try:
        return json.loads(text, object_pairs_hook=unique)
    except (ValueError, RecursionError):
        names = "array" in kinds and "string" in schema["items"].get("type", ())
        return text.split(",") if names and text and not text.startswith("[") else text


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object of JSON, as a hook of its decoder.

    Raises:
        ValueError: A key stands in it twice: one of its values would go without a word.
    """
    content: dict[str, Any] = {}
    for key, value in pairs:
        if key in content:
            msg = f"the key {short(key)!r} stands twice in an object"
            raise ValueError(msg)
        content[key] = value
    return content


def _plain_number(value: Any, schema: Mapping[str, Any]) -> Any:  # noqa: ANN401
    """Make of a number what the setting wants, where it is a text, a decimal or a float."""
    kinds = schema.get("type", ())
    if "number" in kinds and isinstance(value, (str, Decimal)):
        try:
            return float(value)
        except ValueError:
            return value
    if "integer" in kinds and isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _missing(given: Mapping[str, Any]) -> Iterator[str]:
    if "account_sid" not in given:
        yield "account_sid: it is required; it looks like ACxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
    if not given.keys() & {"auth_token", "api_key_sid", "api_key_secret"}:
        yield "auth_token: it is required, or else api_key_sid and api_key_secret"


def _misfits(given: Mapping[str, Any], properties: Mapping[str, Any]) -> Iterator[str]:
    """Tell of each setting by itself what is wrong with it."""
    for name, value in given.items():
        if name not in properties:
            hint = did_you_mean(name, list(properties))
            yield short(f"{name}: there is no such setting; {hint}")
        elif value == "":
            yield f"{name}: it is empty; give a value, or leave the setting away"
        elif oddity := _oddity(value):
            yield f"{name}: {oddity}"
        else:
            yield from _unfit(name, value, properties[name])


def _unfit(name: str, value: Any, schema: Mapping[str, Any]) -> Iterator[str]:  # noqa: ANN401
    found = Draft202012Validator(schema).iter_errors(value)
    for error in itertools.islice(found, MOST_TOLD):
        where = ".".join([name, *map(str, error.absolute_path)])
        # The validator's words quote the value, and that of a secret is nobody's business.
        what = "it has the wrong form" if schema.get("secret") else error.message
        examples = schema.get("examples")
        yield short(f"{where}: {what}") + (f"; for example {examples[0]!r}" if examples else "")


def _oddity(value: object) -> str | None:
    """Tell what no setting may hold, however deep in it."""
    level = [value]
    for _ in range(DEEPEST):
        for one in level:
            if isinstance(one, float) and not math.isfinite(one):
                return f"{one} is not a number that can be worked with"
            if isinstance(one, str) and not _is_text(one):
                return "it has half of a character (a lone surrogate)"
        level = [inner for one in level for inner in _within(one)]
        if not level:
            return None
    return "it is nested too deeply"


def _within(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return [*value, *value.values()]
    return value if isinstance(value, list) else ()


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def short(sentence: str) -> str:
    """Cut a sentence with a long quote, but not its beginning (the place) and end (the reason)."""
    half = LONGEST // 2
    return sentence if len(sentence) <= LONGEST else f"{sentence[:half]}…{sentence[-half:]}"


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


def _credentials(given: Mapping[str, Any]) -> Iterator[str]:
    account = given.get("account_sid")
    yield from _signs(given, "")
    if account is not None:
        yield from _misnamed("account_sid", account, "AC", "; an API key goes into api_key_sid")
    for sid, own in given.get("subaccount_credentials", {}).items():
        where, own_ = f"subaccount_credentials.{sid}", _filled(own)
        if sid == account:
            yield f"{where}: this is account_sid itself, which has settings of its own"
        else:
            yield from _misnamed(where, sid, "AC")
        if own_.keys().isdisjoint({"auth_token", "api_key_sid", "api_key_secret"}):
            yield f"{where}.auth_token: it is required, or else api_key_sid and api_key_secret"
        yield from _signs(own_, f"{where}.")


def _filled(own: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in own.items() if value not in (None, "")}


def _signs(given: Mapping[str, Any], where: str) -> Iterator[str]:
    key = [name for name in ("api_key_sid", "api_key_secret") if name in given]
    if "auth_token" in given and key:
        both = ", ".join(key)
        yield f"{where}auth_token: give either auth_token or an API key, not both ({both})"
    elif len(key) == 1:
        other = {"api_key_sid": "api_key_secret", "api_key_secret": "api_key_sid"}[key[0]]
        yield f"{where}{other}: it is required beside {key[0]}"
    if "api_key_sid" in given:
        yield from _misnamed(f"{where}api_key_sid", given["api_key_sid"], "SK")
    for name in ("auth_token", "api_key_secret"):
        if name in given and not _CREDENTIAL.fullmatch(given[name]):
            yield f"{where}{name}: it is too long, or has spaces or letters that no such secret has"


def _misnamed(where: str, sid: str, kind: str, hint: str = "") -> Iterator[str]:
    what = {"AC": "an account's SID", "SK": "an API key's SID"}[kind]
    if not sid.startswith(kind):
        yield f"{where}: {what} begins with {kind}{hint}"
    elif not _SID.fullmatch(sid):
        yield f"{where}: {what} is {kind} and 32 hexadecimal digits, and this is not"


def _addresses(given: Mapping[str, Any]) -> Iterator[str]:
    edge, base_url = given.get("edge"), given.get("base_url")
    if edge is not None and not _LABEL.fullmatch(edge):
        yield short(f"edge: {edge!r} is not the name of an edge, such as dublin")
    if base_url is None:
        return
    if not _is_address(base_url):
        yield "base_url: it is not an address such as http://127.0.0.1:8400"
    if "region" in given or "edge" in given:
        yield "base_url: give either base_url or region and edge"


def _headers(given: Mapping[str, Any]) -> Iterator[str]:
    name = given.get("user_agent", "")
    # More than this a header can't hold.
    if not name.isprintable() or name != name.encode("latin-1", "ignore").decode("latin-1"):
        yield "user_agent: it has characters that a header can't hold; for example 'etl/1.0'"


def _is_address(url: str) -> bool:
    """Tell whether an address has a host, and nothing that would be lost or sent along."""
    try:
        return (
            _ADDRESS.fullmatch(url) is not None
            and not set(url) & set("?#\\")
            and urlsplit(url).port != 0
        )
    except ValueError:
        return False


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
                yield short(f"filters.{stream}.{name}: {again!r} comes twice")


def _signature(account_sid: str, given: Mapping[str, Any]) -> HTTPBasicAuth:
    if "auth_token" in given:
        return HTTPBasicAuth(account_sid, given["auth_token"])
    return HTTPBasicAuth(given["api_key_sid"], given["api_key_secret"])
