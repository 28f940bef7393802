"""What the fields of a message mean together: who sends it, what it says, and when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from target_twilio import addresses, fields, segments
from target_twilio.fields import MisfitError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

Pairs = tuple[tuple[str, str], ...]

SOONEST: Final = timedelta(minutes=5)
LATEST: Final = timedelta(days=35)
"""How far ahead a message may be scheduled."""


class Defaults(NamedTuple):
    """Who sends the rows that don't say it: a sender, or a Messaging Service."""

    sender: str | None = None
    service: str | None = None


@dataclass(frozen=True)
class Draft:
    """What a row wants, as a request carries it.

    Attributes:
        own: The row's own parameters: what makes it another row.
        params: All parameters, defaults among them.
        sid: The message that it is about; none for a new one.
        text: What the message says; none where nobody can tell before it is sent.
        send_at: When it is due; none for at once.
        segments: How many it is billed as; none where that is not by segments.
    """

    own: Pairs
    params: Pairs
    sid: str | None = None
    recipient: str | None = None
    text: str | None = None
    sender: str | None = None
    service: str | None = None
    send_at: datetime | None = None
    segments: int | None = None

    def value(self, parameter: str) -> str | None:
        """Give the value of a parameter; none where there is none."""
        return next((value for name, value in self.params if name == parameter), None)


def complete(given: Mapping[str, Any], own: Pairs, defaults: Defaults) -> Draft:
    """Add defaults to a row's parameters, and check them together.

    Args:
        given: The row's fields that say anything.
        own: The same as parameters.

    Raises:
        MisfitError: They make no sense together.
    """
    named = dict(own)
    sender, service = named.get("From"), named.get("MessagingServiceSid")
    params = own
    if sender is None and service is None:
        sender, service = defaults
        added = (("From", sender), ("MessagingServiceSid", service))
        params += tuple((name, value) for name, value in added if value is not None)
    if sender is None and service is None:
        msg = "from: it is required, or else messaging_service_sid, in the row or the settings"
        raise MisfitError(msg, 21603)
    _check_content(given)
    send_at = None
    if "send_at" in given:
        send_at = fields.read_moment(given["send_at"])
        if service is None:
            msg = (
                "send_at: only a Messaging Service can schedule, and without "
                "messaging_service_sid Twilio would send at once"
            )
            raise MisfitError(msg, 35118)
        if "ScheduleType" not in named:
            params += (("ScheduleType", "fixed"),)
    elif "schedule_type" in given:
        msg = "send_at: it is required beside schedule_type"
        raise MisfitError(msg, 35111)
    if service is None and (named.get("ShortenUrls") == "true" or "FallbackFrom" in named):
        name = "fallback_from" if "FallbackFrom" in named else "shorten_urls"
        msg = f"{name}: it needs messaging_service_sid"
        raise MisfitError(msg)
    says = named.get("Body") if "content_sid" not in given else None
    is_sms = addresses.split(named["To"])[0] == "" and "media_url" not in given
    return Draft(
        own=own,
        params=params,
        recipient=named["To"],
        text=says,
        sender=sender,
        service=service,
        send_at=send_at,
        segments=segments.count(says) if says is not None and is_sms else None,
    )


def _check_content(given: Mapping[str, Any]) -> None:
    if "content_sid" in given:
        for name in ("body", "media_url"):
            if name in given:
                msg = f"{name}: content_sid takes its place; give one of them"
                raise MisfitError(msg)
        return
    if "content_variables" in given:
        msg = "content_variables: they are of no use without content_sid"
        raise MisfitError(msg, 21654)
    if "body" not in given and not given.get("media_url"):
        msg = "body: it is required, or else media_url or content_sid"
        raise MisfitError(msg, 21619)


def check_schedule(send_at: datetime, now: datetime) -> None:
    """Look whether a moment is one that Twilio takes.

    Raises:
        MisfitError: It isn't.
    """
    if send_at - now < SOONEST:
        msg = "send_at: it is past, or less than 5 minutes ahead"
        raise MisfitError(msg, 35115)
    if send_at - now > LATEST:
        msg = "send_at: it is more than 35 days ahead"
        raise MisfitError(msg, 35117)
