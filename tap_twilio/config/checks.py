"""Checks of settings that any program has: names, types, credentials and addresses."""

from __future__ import annotations

import difflib
import itertools
import json
import math
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from jsonschema import Draft202012Validator
from requests.auth import HTTPBasicAuth
from singer_sdk.configuration._dict_config import parse_environment_config

from tap_twilio.http import oauth
from tap_twilio.http.signatures import App

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from tap_twilio.config.hosts import Hosts
    from tap_twilio.http.signatures import Signature

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

PAIRS = (("api_key_sid", "api_key_secret"), ("client_id", "client_secret"))
"""Settings that sign in together, where there is no auth token."""

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


def short(sentence: str) -> str:
    """Cut a sentence with a long quote, but not its beginning (the place) and end (the reason)."""
    half = LONGEST // 2
    return sentence if len(sentence) <= LONGEST else f"{sentence[:half]}…{sentence[-half:]}"


def texts_in(value: object) -> Iterator[object]:
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


def given(
    config: Mapping[str, Any], properties: Mapping[str, Any], may_be_empty: Collection[str]
) -> tuple[dict[str, Any], list[str]]:
    """Give the settings that are given, and sentences about credentials that are not.

    Args:
        properties: JSON schemas of all settings, the SDK's own among them.
        may_be_empty: Settings that count as not given when empty.

    Raises:
        SettingsError: One of them, by itself, makes no sense.
    """
    found = {
        name: _plain_number(value, properties.get(name, {}))
        for name, value in config.items()
        if value is not None and not (value == "" and name in may_be_empty)
    }
    missing = list(_missing(found))
    if errors := list(_misfits(found, properties)):
        raise SettingsError([*missing, *errors])
    return found, missing


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
    """Tell of credentials that are not there."""
    if "account_sid" not in given:
        yield "account_sid: it is required; it looks like ACxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
    if not given.keys() & {"auth_token", *itertools.chain(*PAIRS)}:
        yield (
            "auth_token: it is required, or else api_key_sid and api_key_secret, or client_id and "
            "client_secret"
        )


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


def credentials(given: Mapping[str, Any]) -> Iterator[str]:
    """Tell what is wrong with the credentials, and with those of subaccounts."""
    account = given.get("account_sid")
    yield from _signs(given, "")
    if account is not None:
        yield from _misnamed("account_sid", account, "AC", "; an API key goes into api_key_sid")
    for sid, own in given.get("subaccount_credentials", {}).items():
        where, own_ = f"subaccount_credentials.{sid}", filled(own)
        if sid == account:
            yield f"{where}: this is account_sid itself, which has settings of its own"
        else:
            yield from _misnamed(where, sid, "AC")
        if own_.keys().isdisjoint({"auth_token", "api_key_sid", "api_key_secret"}):
            yield f"{where}.auth_token: it is required, or else api_key_sid and api_key_secret"
        yield from _signs(own_, f"{where}.")


def filled(own: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what is not given."""
    return {name: value for name, value in own.items() if value not in (None, "")}


def _signs(given: Mapping[str, Any], where: str) -> Iterator[str]:
    key = [name for name in ("api_key_sid", "api_key_secret") if name in given]
    if "auth_token" in given and key:
        both = ", ".join(key)
        yield f"{where}auth_token: give either auth_token or an API key, not both ({both})"
    if "client_id" in given and ("auth_token" in given or key):
        others = ", ".join(name for name in ("auth_token", *key) if name in given)
        yield f"{where}client_id: give either client_id or other credentials, not both ({others})"
    for pair in PAIRS:
        own = [name for name in pair if name in given]
        if len(own) == 1 and not (pair is PAIRS[0] and "auth_token" in given):
            (other,) = set(pair) - set(own)
            yield f"{where}{other}: it is required beside {own[0]}"
    if "api_key_sid" in given:
        yield from _misnamed(f"{where}api_key_sid", given["api_key_sid"], "SK")
    for name in ("auth_token", "api_key_secret", "client_id", "client_secret"):
        if name in given and not _CREDENTIAL.fullmatch(given[name]):
            yield f"{where}{name}: it is too long, or has spaces or letters that no such secret has"


def _misnamed(where: str, sid: str, kind: str, hint: str = "") -> Iterator[str]:
    what = {"AC": "an account's SID", "SK": "an API key's SID"}[kind]
    if not sid.startswith(kind):
        yield f"{where}: {what} begins with {kind}{hint}"
    elif not _SID.fullmatch(sid):
        yield f"{where}: {what} is {kind} and 32 hexadecimal digits, and this is not"


def addresses(given: Mapping[str, Any]) -> Iterator[str]:
    """Tell what is wrong with the settings that say where Twilio answers."""
    edge, base_url = given.get("edge"), given.get("base_url")
    if edge is not None and not _LABEL.fullmatch(edge):
        yield short(f"edge: {edge!r} is not the name of an edge, such as dublin")
    if base_url is None:
        return
    if not is_address(base_url):
        yield "base_url: it is not an address such as http://127.0.0.1:8400"
    if "region" in given or "edge" in given:
        yield "base_url: give either base_url or region and edge"


def is_address(url: str) -> bool:
    """Tell whether an address has a host, and nothing that would be lost or sent along."""
    try:
        return (
            _ADDRESS.fullmatch(url) is not None
            and not set(url) & set("?#\\")
            and urlsplit(url).port != 0
        )
    except ValueError:
        return False


def signature(account_sid: str, given: Mapping[str, Any], hosts: Hosts) -> Signature:
    """Give how an account signs by the settings that it has."""
    if "client_id" in given:
        url = hosts.url("oauth") + oauth.PATH
        return App(given["client_id"], given["client_secret"], url)
    if "auth_token" in given:
        return HTTPBasicAuth(account_sid, given["auth_token"])
    return HTTPBasicAuth(given["api_key_sid"], given["api_key_secret"])


def from_environment(properties: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """Read the settings that variables of the environment hold.

    The SDK takes a value that it can't read for false, or fails: so it reads texts only.
    """
    texts = parse_environment_config(
        {"properties": {name: {"type": "string"} for name in properties}}, prefix
    )
    return {name: from_text(text, properties[name]) for name, text in texts.items()}


def secrets(config: Mapping[str, Any], properties: Mapping[str, Any]) -> Iterator[object]:
    """Give the values that must never be shown, of a configuration that is sensible or not."""
    for name, schema in properties.items():
        if schema.get("secret"):
            yield from texts_in(config.get(name))
