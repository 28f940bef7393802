"""Rows out of nothing but their place: plausible values for every field that a schema names.

What is true of one resource only stands in `resources`; this module knows types and the names that
Twilio uses everywhere.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from sandbox.identifiers import SID_LENGTH, mix, seed_of
from sandbox.moments import DAY, HOUR, iso8601, iso_day, rfc2822

if TYPE_CHECKING:
    from sandbox.endpoints import Property
    from sandbox.frames import Draft, Frame

COUNTRIES: Final = (
    ("US", "United States"), ("GB", "United Kingdom"), ("DE", "Germany"), ("FR", "France"),
    ("AU", "Australia"), ("JP", "Japan"), ("BR", "Brazil"), ("CA", "Canada"), ("ES", "Spain"),
    ("IT", "Italy"), ("NL", "Netherlands"), ("SE", "Sweden"), ("PL", "Poland"), ("MX", "Mexico"),
    ("IN", "India"), ("ZA", "South Africa"), ("IE", "Ireland"), ("PT", "Portugal"),
)  # fmt: skip

NAMES: Final = (
    "Ada Lovelace", "Søren Kierkegaard", "José Ángel", "Zoë Brontë", "Nguyễn Thị Minh",
    "Łukasz Wójcik", "李小龍", "Олена Коваль", "محمد علي", "Grace Hopper",
)  # fmt: skip

OWN_NUMBERS: Final = 8
"""How many numbers an account has bought."""

Maker = Callable[["Draft"], Any]


class Template:
    """The fields that all rows of a table have, split into those that differ and those that do not.

    Args:
        table: The table.
        taken: Fields that the resource itself writes.
    """

    def __init__(self, table: Frame, taken: frozenset[str]) -> None:
        """Compile the schema."""
        self._constants: dict[str, Any] = {}
        self._makers: list[tuple[str, Maker]] = []
        for one in table.endpoint.properties.values():
            self._constants[one.name] = None
            if one.name in taken:
                continue
            made = _maker(table, one)
            if callable(made):
                self._makers.append((one.name, made))
            else:
                self._constants[one.name] = made

    def fill(self, draft: Draft) -> dict[str, Any]:
        """Write a row, less what the resource itself writes."""
        row = self._constants.copy()
        for name, make in self._makers:
            row[name] = make(draft)
        return row


def foreign_sid(prefix: str, *parts: object) -> str:
    """Make a SID of something that no list shows."""
    return f"{prefix}{seed_of(*parts):016x}{seed_of('sid', *parts):016x}"


def phone_number(bits: int) -> str:
    """Give somebody's number in E.164."""
    return f"+1{202 + bits % 700}{2000000 + (bits >> 20) % 7999999}"


def own_number(index: int) -> str:
    """Give a number that the account has bought."""
    return f"+1415555{index % 10000:04}"


def national(number: str) -> str:
    """Format a number as people of its country write it."""
    return f"({number[2:5]}) {number[5:8]}-{number[8:]}"


def _maker(table: Frame, one: Property) -> object:  # noqa: C901, PLR0911 - one line a kind of field
    """Give a constant, or what makes the value of each row."""
    name, values = one.name, table.values_by_field
    if name in values:
        return values[name]
    if name in ("account_sid", "accountSid", "account_id"):
        return table.account.sid
    if name in ("sid", "id"):
        return lambda draft: draft.sid
    if one.enum:
        return _choice(one.enum, seed_of(name))
    if one.sid or name.endswith("_sid"):
        return _foreign(table, one)
    if one.format in ("date-time", "date"):
        return _moment(one)
    if name in ("uri", "url", "subresource_uris", "links"):
        return _link(table, name)
    if one.type != "string" and one.wire != "string":
        return _scalar(one)
    if one.type in ("integer", "number"):
        scalar = _scalar(one)
        return lambda draft: str(scalar(draft))
    if not one.nullable and name.endswith("Sid"):
        return lambda draft: f"{name}-{draft.bits:x}"
    if not one.nullable and name not in _TEXTS:
        # Part of a key: never null, nor twice in a list; other lists have the same.
        return lambda draft: f"{name}-{draft.index}"
    return _text(table, name)


def _choice(options: tuple[Any, ...], salt: int) -> Maker:
    count = len(options)
    return lambda draft: options[mix(salt, draft.bits) % count]


def _foreign(table: Frame, one: Property) -> Maker:
    prefix = one.sid or "XX"
    keyed = "sid" not in table.endpoint.properties
    seed = seed_of(table.seed, one.name)

    def make(draft: Draft) -> str | None:
        # Where a row has no SID of its own, those of others are its key: never null, never twice.
        if not keyed and mix(seed, draft.index) % 3 == 0:
            return None
        tail = f"{mix(seed, draft.index):016x}{seed:016x}"
        return prefix + tail[: SID_LENGTH - 2]

    return make


def _moment(one: Property) -> Maker:
    spell = iso_day if one.format == "date" else rfc2822 if one.wire == "rfc-2822" else iso8601
    salt = seed_of(one.name)
    if "updated" in one.name:
        # Every row is touched once more some time after it came to be.
        return lambda draft: spell(
            touched
            if (touched := draft.created + mix(salt, draft.bits) % (5 * DAY)) <= draft.now
            else draft.created
        )
    if one.name.startswith(("date_created", "create")) or one.name in (
        "date_generated",
        "event_date",
        "start_time",
        "message_date",
        "timestamp",
    ):
        return lambda draft: spell(draft.created)

    def later(draft: Draft) -> str | None:
        moment = draft.created + mix(salt, draft.bits) % (6 * HOUR)
        return spell(moment) if moment <= draft.now else None

    return later


def _link(table: Frame, name: str) -> Maker:
    endpoint = table.endpoint
    origin = "" if endpoint.extension else f"https://{endpoint.host}.twilio.com"
    base = f"{origin}{endpoint.locate(table.path_values).removesuffix('.json')}"
    own = _own_segment(table)
    if name in ("uri", "url"):
        return lambda draft: f"{base}/{own(draft)}{endpoint.extension}"
    names = [child.stem.rpartition("/")[2] for child in table.child_endpoints]
    keys = [(_lower(one), one) for one in names]
    return lambda draft: {
        key: f"{base}/{own(draft)}/{one}{endpoint.extension}" for key, one in keys
    }


def _own_segment(table: Frame) -> Callable[[Draft], str]:
    field = table.identifier
    special = _TEXTS.get(field)
    if callable(special) and field in table.endpoint.properties:
        return lambda draft: str(special(draft))
    return lambda draft: draft.sid


def _lower(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip(
        "_"
    )


def _scalar(one: Property) -> Maker:
    salt = seed_of(one.name)
    if one.type == "integer":
        return lambda draft: mix(salt, draft.bits) % 100
    if one.type == "number":
        return lambda draft: mix(salt, draft.bits) % 10000 / 100
    if one.type == "boolean":
        return lambda draft: mix(salt, draft.bits) % 2 == 0
    if one.type == "array":
        return lambda _: []
    return lambda _: {}


def _text(table: Frame, name: str) -> object:
    special = _TEXTS.get(name)
    if special is not None:
        return special
    endpoint = table.endpoint
    if name.endswith("method"):
        return "POST"
    if name.endswith("url"):
        return lambda draft: f"https://example.com/{endpoint.stream}/{draft.index}"
    if name == "key" or name.endswith(("_name", "_id")):
        return lambda draft: f"{endpoint.stream}-{draft.index}"
    salt = seed_of(name)
    # Twilio is of two minds about what it does not know: some fields are null, some are empty.
    return lambda draft: (
        None,
        "",
        f"{name} {draft.index}",
        f"{name} {draft.index}",
    )[mix(salt, draft.bits) % 4]


def _country(draft: Draft) -> str:
    return COUNTRIES[draft.index % len(COUNTRIES)][0]


_TEXTS: Final[dict[str, Any]] = {
    "api_version": "2010-04-01",
    "balance": lambda draft: f"{draft.bits % 100000 / 100:.2f}",
    "attributes": '{"vip": true}',
    "country": lambda draft: COUNTRIES[draft.index % len(COUNTRIES)][1],
    "country_code": _country,
    "currency": "USD",
    "sender_id": lambda draft: f"{('whatsapp', 'rcs')[draft.index % 2]}:{own_number(draft.index)}",
    "email": lambda draft: f"person{draft.index}@example.com",
    "friendly_name": lambda draft: f"{NAMES[draft.bits % len(NAMES)]} {draft.index}",
    "from": lambda draft: phone_number(draft.bits),
    "identity": lambda draft: f"user-{draft.index}",
    "ip_address": lambda draft: f"203.0.113.{draft.index % 256}",
    "iso_code": _country,
    "iso_country": _country,
    "phone_number": lambda draft: own_number(draft.index),
    "prefix": lambda draft: f"+1{draft.index}",
    "price_unit": "USD",
    "to": lambda draft: phone_number(draft.bits >> 7),
    "type": lambda draft: f"com.twilio.example.type-{draft.index}",
    "unique_name": lambda draft: f"unique-{draft.index}",
}
