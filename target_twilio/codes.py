"""What Twilio's codes mean, in few words and without the values that Twilio's own words quote."""

from __future__ import annotations

from typing import Final

OPTED_OUT: Final = 21610
"""The recipient wants no more messages of this sender."""

QUEUE_FULL: Final = 21611
"""The sender's queue is full: the message was not taken."""

GONE: Final = 20404
"""There is no such resource."""

MEANINGS: Final[dict[int, str]] = {
    14107: "too many messages at once for this sender",
    20001: "a parameter makes no sense",
    20002: "a parameter makes no sense",
    20003: "the credentials are wrong",
    20008: "test credentials may not do this",
    20009: "the message has not reached its final status yet: try again later",
    20403: "the account may not do this",
    20404: "there is no such message in this account",
    20422: "a parameter makes no sense",
    20429: "too many requests at once",
    20500: "Twilio failed: nobody knows whether it was done",
    21211: "to is not a number that can be reached; write it as +, country code, number",
    21212: "from is not a number that can send",
    21265: "to may not be a short code",
    21266: "from and to are the same",
    21408: "messages to the recipient's country are not permitted: see the geo permissions",
    21601: "the sender can't send messages",
    21602: "there is no text: give body, media_url or content_sid",
    21603: "there is no sender: give from or messaging_service_sid",
    21604: "there is no recipient: give to",
    21605: "the text is too long",
    21606: "from is not a sender of this account, or not for this recipient",
    21607: "from is not a sender of this account that is allowed to send",
    21608: "a trial account reaches verified numbers only, and the recipient is none",
    21609: "status_callback is no URL",
    21610: "the recipient has opted out (STOP), or Twilio keeps messages from them",
    21611: "the queue of from is full: spread the sending over more time or senders",
    21612: "from can't reach the recipient",
    21614: "to is not a mobile number",
    21617: "the text is longer than 1,600 characters",
    21619: "there is no text: give body, media_url or content_sid",
    21620: "media_url is no URL that Twilio can read",
    21622: "the sender can't send media",
    21623: "more than 10 media",
    21635: "to is a landline",
    21649: "the template's variables make no sense",
    21654: "there are content_variables, but no content_sid",
    21655: "content_sid names no template of this account",
    21656: "content_variables make no sense: each needs a text",
    21659: "from is not a sender of this account, or of another country",
    21660: "from is not a sender of this account",
    21661: "from can't send SMS",
    21701: "messaging_service_sid names no Messaging Service of this account",
    21703: "the Messaging Service has no sender",
    21704: "the Messaging Service has no sender for the recipient",
    21705: "messaging_service_sid names no Messaging Service of this account",
    21910: "from and to are of different channels",
    30409: "the message is not scheduled any more, or never was",
    35111: "send_at is missing",
    35112: "the schedule makes no sense",
    35114: "send_at makes no sense",
    35115: "send_at is past, or too few minutes ahead",
    35117: "send_at is more than 35 days ahead",
    35118: "only a Messaging Service can schedule: give messaging_service_sid",
    35125: "the account has as many scheduled messages as it may have",
    35126: "Twilio knows no such kind of schedule",
    63007: "from is not a sender of this channel",
    63016: "outside of WhatsApp's 24 hours only a template may be sent",
    63024: "the recipient can't be reached by this channel",
    70051: "the API key may not do this",
    90007: "validity_period is not between 1 and 36,000 seconds",
}


def meaning(code: int | None, status: int | None = None) -> str:
    """Say what a code means, or a status where there is no code."""
    if code is None:
        return f"Twilio refused it without a code (HTTP {status})"
    known = MEANINGS.get(code)
    return known or f"Twilio refused it: https://www.twilio.com/docs/api/errors/{code}"
