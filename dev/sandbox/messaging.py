"""Messages and their media."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sandbox.identifiers import mix
from sandbox.moments import DAY, HOUR, MINUTE, rfc2822
from sandbox.rows import OWN_NUMBERS, foreign_sid, own_number, phone_number

if TYPE_CHECKING:
    from sandbox.frames import Draft, Frame, Key, Wire

_BODIES: Final = (
    "Your code is 493021",
    "Grüße aus Köln – bis gleich! 👋",  # noqa: RUF001
    "您的订单已发货",
    "Reply STOP to unsubscribe",
    "Рейс SU1234 задержан\nна 40 минут",  # noqa: RUF001
    'He said "yes", then\tleft \\o/',
    "مرحبا بك",
    "",
)
OUTCOMES: Final = (
    *["delivered"] * 88,
    *["read"] * 4,
    *["undelivered"] * 5,
    *["failed"] * 3,
)
"""What becomes of messages, each as often as it does."""

FAILURES: Final = {"undelivered": 30005, "failed": 30008}
"""The code of those that don't arrive."""

_DIRECTIONS: Final = ("inbound", "inbound", "outbound-api", "outbound-api", "outbound-api")
_LONGEST_SCHEDULE: Final = 3 * DAY
LONGEST_WAIT: Final = 4
"""Seconds that a message may wait for its turn."""

_SCHEDULED_EVERY: Final = 97

MEDIA_SHARE: Final = 1 / 16
"""The share of messages that have media, unless told otherwise."""


def _wait(table: Frame, index: int) -> int:
    """Give the seconds from a message's creation to its sending."""
    bits = mix(table.seed, index)
    if index % _SCHEDULED_EVERY == 0:
        return HOUR + (bits >> 8) % (_LONGEST_SCHEDULE - HOUR)
    return (bits >> 8) % LONGEST_WAIT


def unsent(table: Frame, now: int) -> list[Key]:
    """Find the messages that are listed already and sent later."""
    timeline = table.timeline
    first = timeline.before(now)
    scheduled = range(
        -(-first // _SCHEDULED_EVERY) * _SCHEDULED_EVERY,
        timeline.before(now + _LONGEST_SCHEDULE),
        _SCHEDULED_EVERY,
    )
    created = {
        index: timeline.at(index) - _wait(table, index)
        for places in (range(first, timeline.before(now + LONGEST_WAIT)), scheduled)
        for index in places
    }
    return [(moment, index) for index, moment in created.items() if moment < now]


def settled_at(sent: int, bits: int) -> int:
    """Tell when a message has its last status; one in fifty may take days."""
    return sent + 2 + (bits >> 42) % (2 * DAY if (bits >> 48) % 50 == 0 else MINUTE)


def rated_at(sent: int, bits: int) -> int:
    """Tell when a message has its price."""
    return sent + MINUTE + (bits >> 44) % (14 * MINUTE)


def price_of(segments: int) -> str:
    """Give the price of a message."""
    return f"{-0.0075 * segments:.5f}"


def describe_message(draft: Draft) -> Wire:
    """Write a message: unsent, sent, settled, priced minutes later."""
    bits, now, sent = draft.bits, draft.now, draft.created
    table = draft.table
    created = sent - _wait(table, draft.index)
    scheduled = draft.index % _SCHEDULED_EVERY == 0
    inbound = _DIRECTIONS[(bits >> 16) % len(_DIRECTIONS)] == "inbound" and not scheduled
    refused = not inbound and (bits >> 20) % 40 == 0
    service = not inbound and (bits >> 26) % 4 == 0
    body = _BODIES[(bits >> 29) % len(_BODIES)]
    segments = 1 + (bits >> 33) % 3
    draw = ((bits >> 35) % 16 + (bits >> 55) % 64 / 64) / 16
    media = (1 + (bits >> 39) % 3) if draw < table.media_share else 0
    settled, rated = settled_at(sent, bits), rated_at(sent, bits)
    status, updated, price, error = "queued", created, None, None
    if now <= sent:
        status = "scheduled" if scheduled else "queued"
    elif refused:
        status, updated, error = "failed", sent, 21610
    elif inbound:
        status, updated = "received", sent
    elif now < settled:
        status, updated = ("sending" if now < sent + 2 else "sent"), sent
    else:
        status = OUTCOMES[(bits >> 51) % len(OUTCOMES)]
        error = FAILURES.get(status)
        updated = settled
    if now >= rated and not refused:
        price = price_of(segments)
        updated = max(updated, rated)
    unknown = service and now <= sent
    ours, theirs = own_number((bits >> 45) % OWN_NUMBERS), phone_number(bits >> 13)
    sid = f"{'MM' if media else 'SM'}{draft.sid[2:]}"
    uri = f"/2010-04-01/Accounts/{table.account.sid}/Messages/{sid}"
    sender = theirs if inbound else ours
    return {
        "sid": sid,
        "account_sid": table.account.sid,
        "body": body,
        "num_segments": "0" if unknown else str(segments),
        "num_media": str(media),
        "direction": "inbound" if inbound else "outbound-api",
        "from": None if unknown else sender,
        "to": ours if inbound else theirs,
        "date_created": rfc2822(created),
        "date_updated": rfc2822(updated),
        "date_sent": None if now <= sent or refused else rfc2822(sent),
        "status": status,
        "price": price,
        "price_unit": "USD",
        "error_code": error,
        "error_message": None if error is None else "Message could not be delivered",
        "messaging_service_sid": (
            foreign_sid("MG", table.seed, (bits >> 5) % 3) if service else None
        ),
        "tags": {"campaign_name": f"campaign-{bits % 5}"} if service else None,
        "api_version": "2010-04-01",
        "uri": f"{uri}.json",
        "subresource_uris": {"media": f"{uri}/Media.json", "feedback": f"{uri}/Feedback.json"},
    }


def describe_media(draft: Draft) -> Wire:
    """Write one of the media of a message."""
    kind = ("image/jpeg", "image/png", "audio/mpeg", "text/vcard")[draft.bits % 4]
    return {"content_type": kind}


def num_media(message: Wire) -> int:
    """Count the media of a message."""
    return int(message.get("num_media") or 0)
