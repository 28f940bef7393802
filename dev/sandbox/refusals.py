"""What speaks against a message, in the order in which it is looked at."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from sandbox.errors import TwilioError
from sandbox.moments import DAY, read_iso
from sandbox.outbox import Order

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sandbox.consents import Consents
    from sandbox.frames import Wire

TEST_SENDER: Final = "+15005550006"
"""The one sender that test credentials may use."""

_MAGIC_RECIPIENTS: Final = {
    "+15005550001": 21211,
    "+15005550002": 21612,
    "+15005550003": 21408,
    "+15005550004": 21610,
    "+15005550009": 21614,
}
_MAGIC_SENDERS: Final = {"+15005550001": 21212, "+15005550007": 21606, "+15005550008": 21611}

_MESSAGES: Final[Mapping[int, str]] = {
    20001: "Invalid parameter {}",
    20009: "A message cannot be deleted before its last status",
    21211: "The 'To' number {} is no valid phone number",
    21212: "The 'From' number {} is no valid phone number, short code or sender ID",
    21265: "The 'To' number {} is a short code, which takes no messages",
    21266: "The 'To' and 'From' numbers are both {}",
    21408: "Messages to the region of {} are not permitted for the account",
    21602: "The message has an empty body",
    21603: "The message has neither 'From' nor 'MessagingServiceSid'",
    21604: "The message has no 'To' number",
    21606: "The 'From' number {} cannot send messages to this recipient",
    21608: "The number {} is unverified; trial accounts write to verified numbers only",
    21609: "The 'StatusCallback' URL {} is invalid",
    21610: "The recipient {} has unsubscribed from this sender",
    21611: "The queue of the 'From' number {} is full",
    21612: "A message to {} cannot be routed from this sender",
    21614: "The 'To' number {} is no mobile number",
    21617: "The body has {} characters, the maximum is 1600",
    21619: "The message has neither a body nor media nor a template",
    21620: "The media URL {} is invalid",
    21623: "The message has {} media, the maximum is 10",
    21654: "Variables of a template come without its SID",
    21655: "The content SID {} is invalid",
    21656: "The content variables are invalid",
    21659: "The 'From' number {} is none of the account's",
    21703: "The messaging service {} has no sender for this recipient",
    21705: "The messaging service SID {} is invalid",
    21910: "The 'To' and 'From' addresses belong to different channels",
    30409: "A message cannot be canceled unless it is scheduled by a messaging service",
    35111: "A scheduled message needs 'SendAt'",
    35114: "'SendAt' is no ISO 8601 timestamp in UTC: {}",
    35115: "'SendAt' is too early: {}",
    35117: "'SendAt' is too late: {}",
    35125: "The account has {} scheduled messages, which is the maximum",
    35126: "The schedule type {} is not supported",
    63007: "No channel has the 'From' address {}",
    90007: "The validity period {} is out of its range",
}

_NUMBER: Final = re.compile(r"\+?[1-9]\d{6,14}")
_SHORT_CODE: Final = re.compile(r"\d{3,6}")
_SENDER_ID: Final = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11}")
_ADDRESS: Final = re.compile(r"[\w.+-]+", re.ASCII)
_CHANNELS: Final = ("whatsapp", "messenger", "rcs")
_CONTENT_SID: Final = re.compile(r"HX[0-9a-fA-F]{32}")
_APPLICATION_SID: Final = re.compile(r"AP[0-9a-fA-F]{32}")
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)")
_PLACEHOLDER: Final = re.compile(r"\{\{(\w+)\}\}")
_UNFIT: Final = re.compile(r"[\n\t]| {5}")
_LONGEST_BODY: Final = 1600
_MOST_MEDIA: Final = 10
_LONGEST_VALIDITY: Final = 36_000
_LATEST: Final = 35 * DAY
_MOST_VARIABLES, _LONGEST_NAME, _LONGEST_VALUE = 100, 16, 255
_NORTH_AMERICA: Final = "+1"

_CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "ContentRetention": ("retain", "discard"),
    "AddressRetention": ("retain", "obfuscate"),
    "TrafficType": ("free",),
    "RiskCheck": ("enable", "disable"),
    **dict.fromkeys(
        ("SmartEncoded", "SendAsMms", "ProvideFeedback", "ShortenUrls", "ForceDelivery"),
        ("true", "false"),
    ),
}

Form = dict[str, list[str]]


@dataclass
class Rules:
    """What messages are refused for, beyond what the lists of the account say.

    Attributes:
        landlines: Numbers that are no mobile ones.
        forbidden: What the numbers of countries begin with that the account may not write to.
        full_queues: Senders whose queue is full.
        is_trial: Whether only verified numbers may be written to.
        earliest: Seconds that a schedule must lie ahead; Twilio's documents say 300, and 900.
        most_scheduled: How many scheduled messages an account may have.
    """

    landlines: set[str] = field(default_factory=set)
    forbidden: set[str] = field(default_factory=set)
    full_queues: set[str] = field(default_factory=set)
    is_trial: bool = False
    earliest: int = 300
    most_scheduled: int = 500_000


@dataclass(frozen=True)
class Means:
    """What an account has to write with.

    Attributes:
        senders: Its addresses, each with whether it may send messages.
        services: Its Messaging Services, each with the numbers of its pool.
        templates: Its templates by SID.
        verified: The numbers that are known to be its owner's.
        is_test: Whether all this belongs to test credentials.
    """

    senders: Mapping[str, bool]
    services: Mapping[str, Sequence[str]]
    templates: Mapping[str, Wire]
    verified: frozenset[str]
    is_test: bool = False

    def of(self, channel: str) -> list[str]:
        """Give its addresses of a channel."""
        return [one for one in self.senders if one.startswith(f"{channel}:")]


TEST_MEANS: Final = Means({TEST_SENDER: True}, {}, {}, frozenset(), is_test=True)


def refuse(code: int, value: object = "", status: int = 400) -> TwilioError:
    """Make the error of a code."""
    return TwilioError(status, code, _MESSAGES[code].format(value))


def read_order(form: Form, means: Means, rules: Rules, now: int) -> Order:
    """Read what a client asks for, and refuse what no message can be.

    Args:
        form: The parameters as they came.
        means: What the account has to write with.
        rules: What else is refused.
        now: The moment.

    Returns:
        The order.

    Raises:
        TwilioError: If something speaks against it.
    """
    given = {name: values[-1] for name, values in form.items() if values[-1]}
    service = _service(given, means)
    to = _recipient(given)
    sender, pool = _sender(given, to, service, means)
    template, body, media = _content(given, form, means)
    _check_options(given)
    due = None if service is None else _due(given, rules, now)
    parameters: dict[str, str | list[str]] = {
        name: values[0] if len(values) == 1 else values for name, values in form.items()
    }
    return Order(to, sender, pool, service, body, media, due, template, parameters)


def check(order: Order, means: Means, rules: Rules, consents: Consents) -> None:
    """Refuse what this recipient, or this sender, may not have now.

    Raises:
        TwilioError: If something speaks against it.
    """
    to, sender = order.to, order.sender
    number = to.rpartition(":")[2]
    if number in rules.landlines:
        raise refuse(21614, to)
    if any(number.startswith(one) for one in rules.forbidden):
        raise refuse(21408, to)
    if rules.is_trial and number not in means.verified:
        raise refuse(21608, to)
    if consents.refuses(to.removeprefix("rcs:"), (order.service, sender)):
        raise refuse(21610, to)
    # A service has a queue for each of its senders, and says later that they are full.
    if order.service is None and sender in rules.full_queues:
        raise refuse(21611, sender)


def _recipient(given: Mapping[str, str]) -> str:
    to = given.get("To")
    if to is None:
        raise refuse(21604)
    if to in _MAGIC_RECIPIENTS:
        raise refuse(_MAGIC_RECIPIENTS[to], to)
    channel, _, address = to.rpartition(":")
    if not channel and _SHORT_CODE.fullmatch(to):
        raise refuse(21265, to)
    form = _ADDRESS if channel == "messenger" else _NUMBER
    if channel not in ("", *_CHANNELS) or not form.fullmatch(address):
        raise refuse(21211, to)
    if channel == "messenger" or address.startswith("+"):
        return to
    return f"{channel}:+{address}" if channel else f"+{address}"


def _service(given: Mapping[str, str], means: Means) -> str | None:
    service = given.get("MessagingServiceSid")
    if service is None and "From" not in given:
        raise refuse(21603)
    if service is not None and service not in means.services:
        raise refuse(21705, service)
    return service


def _sender(
    given: Mapping[str, str], to: str, service: str | None, means: Means
) -> tuple[str | None, Sequence[str]]:
    """Find from whom it goes, or who of the service may send it."""
    channel = to.rpartition(":")[0]
    sender = given.get("From")
    if sender is None:
        # Channels are not bound to a service here: each may use all that the account has.
        pool = means.of(channel) if channel else means.services[service or ""]
        if not pool:
            raise refuse(21703, service)
        return None, pool
    if sender in _MAGIC_SENDERS:
        raise refuse(_MAGIC_SENDERS[sender], sender)
    if sender.rpartition(":")[0] != channel:
        raise refuse(21910)
    if sender == to:
        raise refuse(21266, to)
    if channel:
        if sender not in means.senders:
            raise refuse(63007, sender)
        return sender, ()
    _check_number(sender, to, means)
    if service is not None and sender not in means.services[service]:
        raise refuse(21606, sender)
    return sender, ()


def _check_number(sender: str, to: str, means: Means) -> None:
    can_send = means.senders.get(sender)
    if can_send is None:
        if means.is_test:
            raise refuse(21606, sender)
        if _SENDER_ID.fullmatch(sender):
            if to.startswith(_NORTH_AMERICA):
                raise refuse(21612, to)
            return
        is_number = _NUMBER.fullmatch(sender) or _SHORT_CODE.fullmatch(sender)
        raise refuse(21659 if is_number else 21212, sender)
    if not can_send:
        raise refuse(21606, sender)


def _content(given: Mapping[str, str], form: Form, means: Means) -> tuple[bool, str, Sequence[str]]:
    """Find what is sent: whether it is a template, the text, and media."""
    template, body = given.get("ContentSid"), given.get("Body", "")
    if template is not None:
        row = means.templates.get(template)
        if row is None or not _CONTENT_SID.fullmatch(template):
            raise refuse(21655, template)
        return True, _fill(row, _variables(given.get("ContentVariables"))), ()
    if "ContentVariables" in given:
        raise refuse(21654)
    media = [one for one in form.get("MediaUrl", ()) if one]
    if not body and not media:
        raise refuse(21602 if "Body" in form else 21619)
    if len(body) > _LONGEST_BODY:
        raise refuse(21617, len(body))
    if len(media) > _MOST_MEDIA:
        raise refuse(21623, len(media))
    for one in media:
        if not _is_url(one):
            raise refuse(21620, one)
    return False, body, media


def _variables(text: str | None) -> dict[str, str]:
    try:
        variables = json.loads(text or "{}")
    except ValueError:
        raise refuse(21656) from None
    if not isinstance(variables, dict) or len(variables) > _MOST_VARIABLES:
        raise refuse(21656)
    for name, value in variables.items():
        if not isinstance(value, str) or not value or _UNFIT.search(value):
            raise refuse(21656)
        if len(name) > _LONGEST_NAME or len(value) > _LONGEST_VALUE:
            raise refuse(21656)
    return variables


def _fill(template: Wire, variables: Mapping[str, str]) -> str:
    """Give the text of a template, or its name where it has none."""
    types: Mapping[str, Any] = template.get("types") or {}
    texts = [one["body"] for one in types.values() if isinstance(one, dict) and "body" in one]
    defaults: Mapping[str, str] = template.get("variables") or {}
    values = {**defaults, **variables}
    text = texts[0] if texts else str(template.get("friendly_name"))
    return _PLACEHOLDER.sub(lambda match: values.get(match[1], match[0]), text)


def _check_options(given: Mapping[str, str]) -> None:
    for name, choices in _CHOICES.items():
        if name in given and given[name].lower() not in choices:
            raise refuse(20001, name)
    period = given.get("ValidityPeriod")
    if period is not None and not (period.isdigit() and 1 <= int(period) <= _LONGEST_VALIDITY):
        raise refuse(90007, period)
    callback = given.get("StatusCallback")
    if callback is not None and not _is_url(callback):
        raise refuse(21609, callback)
    if not given.get("Attempt", "1").isdigit():
        raise refuse(20001, "Attempt")
    if not _APPLICATION_SID.fullmatch(given.get("ApplicationSid", f"AP{0:032}")):
        raise refuse(20001, "ApplicationSid")


def _due(given: Mapping[str, str], rules: Rules, now: int) -> int | None:
    """Find when it shall be sent, if a service shall send it later."""
    kind, moment = given.get("ScheduleType"), given.get("SendAt")
    if kind is None:
        return None
    if kind != "fixed":
        raise refuse(35126, kind)
    if moment is None:
        raise refuse(35111)
    if not _MOMENT.fullmatch(moment):
        raise refuse(35114, moment)
    try:
        due = read_iso(moment)
    except ValueError:
        raise refuse(35114, moment) from None
    if due <= now + rules.earliest:
        raise refuse(35115, moment)
    if due > now + _LATEST:
        raise refuse(35117, moment)
    return due


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        host = parts.hostname or ""
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(host) and "_" not in host
