"""What rows can have done: one declaration each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

from target_twilio import fields, messages
from target_twilio.fields import Field, MisfitError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_twilio.messages import Defaults, Draft, Pairs

Complete = Callable[["Mapping[str, Any]", "Pairs", "Defaults"], "Draft"]

MESSAGES: Final = "/2010-04-01/Accounts/{account_sid}/Messages"


@dataclass(frozen=True)
class Action:
    """Something that Twilio does.

    Attributes:
        path: Where it is asked for, with the row's ``sid`` if it is about a message.
        fields: What a row may have, by Twilio's names in snake case.
        required: What it must have.
        done: The outcome of what was done.
        would: The outcome of a dry run.
        readback: How a lost answer is settled: by ``listing`` recent messages, by the message of
            the ``sid``, or not at all.
        fixed: Parameters that make the action what it is.
        addresses: Fields that hold somebody's address.
        texts: Fields that hold what somebody is told.
        batch: Most rows of a request.
        is_upsert: Whether the same key may come again with other content.
        complete: Checks what fields mean together, where that is more than each by itself.
    """

    name: str
    path: str
    fields: Mapping[str, Field]
    required: tuple[str, ...]
    done: str
    would: str
    readback: Literal["listing", "sid", "none"]
    product: str = "api"
    method: str = "POST"
    fixed: tuple[tuple[str, str], ...] = ()
    addresses: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    batch: int = 1
    is_upsert: bool = False
    complete: Complete | None = field(default=None)

    @property
    def makes_messages(self) -> bool:
        """Whether it sends something to somebody, so that doing it twice does harm."""
        return self.readback == "listing"


_SID: Final = Field(None, fields.matching(r"(SM|MM)[0-9a-fA-F]{32}", "the SID of a message (SM…)"))
_SENDER_SID: Final = fields.matching(r"MG[0-9a-fA-F]{32}", "the SID of a Messaging Service (MG…)")

_MESSAGE: Final[dict[str, Field]] = {
    "to": Field("To", fields.recipient, 21211),
    "from": Field("From", fields.sender, 21212),
    "messaging_service_sid": Field("MessagingServiceSid", _SENDER_SID, 21705),
    "fallback_from": Field("FallbackFrom", fields.sender),
    "body": Field("Body", fields.body, 21617),
    "media_url": Field("MediaUrl", fields.several(fields.url, fields.MOST_MEDIA, 21623), 21620),
    "content_sid": Field(
        "ContentSid", fields.matching(r"HX[0-9a-fA-F]{32}", "the SID of a template (HX…)"), 21655
    ),
    "content_variables": Field("ContentVariables", fields.variables, 21656),
    "send_at": Field("SendAt", fields.moment, 35114),
    "schedule_type": Field("ScheduleType", fields.one_of("fixed"), 35126),
    "validity_period": Field("ValidityPeriod", fields.whole(1, fields.LONGEST_VALIDITY), 90007),
    "status_callback": Field("StatusCallback", fields.url, 21609),
    "application_sid": Field(
        "ApplicationSid", fields.matching(r"AP[0-9a-fA-F]{32}", "the SID of an application (AP…)")
    ),
    "smart_encoded": Field("SmartEncoded", fields.flag),
    "send_as_mms": Field("SendAsMms", fields.flag),
    "shorten_urls": Field("ShortenUrls", fields.flag),
    "provide_feedback": Field("ProvideFeedback", fields.flag),
    "force_delivery": Field("ForceDelivery", fields.flag),
    "attempt": Field("Attempt", fields.whole(1)),
    "content_retention": Field("ContentRetention", fields.one_of("retain", "discard")),
    "address_retention": Field("AddressRetention", fields.one_of("retain", "obfuscate")),
    "persistent_action": Field("PersistentAction", fields.several(fields.text, 10)),
    "traffic_type": Field("TrafficType", fields.one_of("free")),
    "risk_check": Field("RiskCheck", fields.one_of("enable", "disable")),
}

_CONSENT: Final[dict[str, Field]] = {
    "contact_id": Field("contact_id", fields.recipient),
    "correlation_id": Field(
        "correlation_id", fields.matching(r"[0-9A-Za-z]{32}", "a text of 32 letters and digits")
    ),
    "sender_id": Field("sender_id", fields.sender),
    "status": Field("status", fields.one_of("opt-in", "opt-out")),
    "source": Field(
        "source",
        fields.one_of("website", "offline", "opt-in-message", "opt-out-message", "others"),
    ),
    "date_of_consent": Field("date_of_consent", fields.day_or_moment),
}

ACTIONS: Final = {
    action.name: action
    for action in (
        Action(
            "messages",
            path=f"{MESSAGES}.json",
            fields=_MESSAGE,
            required=("to",),
            done="sent",
            would="would_send",
            readback="listing",
            addresses=("to", "from", "fallback_from"),
            texts=("body", "content_variables", "media_url", "persistent_action"),
            complete=messages.complete,
        ),
        Action(
            "message_cancellations",
            path=f"{MESSAGES}/{{sid}}.json",
            fields={"sid": _SID},
            required=("sid",),
            fixed=(("Status", "canceled"),),
            done="canceled",
            would="would_cancel",
            readback="sid",
        ),
        Action(
            "message_redactions",
            path=f"{MESSAGES}/{{sid}}.json",
            fields={"sid": _SID},
            required=("sid",),
            fixed=(("Body", ""),),
            done="redacted",
            would="would_redact",
            readback="sid",
        ),
        Action(
            "message_deletions",
            method="DELETE",
            path=f"{MESSAGES}/{{sid}}.json",
            fields={"sid": _SID},
            required=("sid",),
            done="deleted",
            would="would_delete",
            readback="sid",
        ),
        Action(
            "message_feedback",
            path=f"{MESSAGES}/{{sid}}/Feedback.json",
            fields={
                "sid": _SID,
                "outcome": Field("Outcome", fields.one_of("confirmed", "unconfirmed")),
            },
            required=("sid", "outcome"),
            done="recorded",
            would="would_record",
            readback="none",
            is_upsert=True,
        ),
        Action(
            "consents",
            product="accounts",
            path="/v1/Consents/Bulk",
            fields=_CONSENT,
            required=("contact_id", "sender_id", "status", "source"),
            done="recorded",
            would="would_record",
            readback="none",
            addresses=("contact_id", "sender_id"),
            batch=25,
            is_upsert=True,
        ),
    )
}
"""By the names of the streams that have them done."""

DELETIONS: Final = "message_deletions"

_REQUIRED_CODES: Final = {"to": 21604}


def understand(action: Action, given: Mapping[str, Any], defaults: Defaults) -> Draft:
    """Find out what a row wants.

    Args:
        given: The row without its key fields that are no parameters, and without what is carried.

    Raises:
        MisfitError: It makes no sense.
    """
    if strangers := fields.unknown(given, action.fields):
        named = ", ".join(strangers)
        obsolete = " (max_price has no effect at Twilio any more)" * ("max_price" in strangers)
        msg = f"{named}: {action.name} takes no such field{obsolete}"
        raise MisfitError(msg)
    if "send_at" in given and not fields.is_given(given["send_at"]):
        msg = "send_at: it is null or empty, and Twilio would send at once; leave the field out"
        raise MisfitError(msg, 35111)
    present = {name: value for name, value in given.items() if fields.is_given(value)}
    for name in action.required:
        if name not in present:
            msg = f"{name}: it is required"
            raise MisfitError(msg, _REQUIRED_CODES.get(name))
    wire = {name: action.fields[name].read(name, value) for name, value in present.items()}
    own = tuple(
        (parameter, value)
        for name, values in wire.items()
        if (parameter := action.fields[name].parameter)
        for value in values
    )
    if action.complete is not None:
        return action.complete(present, own, defaults)
    sid = wire["sid"][0] if "sid" in wire else None
    return messages.Draft(own=own, params=(*action.fixed, *own), sid=sid)
