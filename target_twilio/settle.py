"""Finding out what became of requests whose answers were lost, by what Twilio lists since.

A message that is listed was sent. One that is not listed may still have been: lists lag, texts are
changed on their way, and messages are deleted.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Final

from target_twilio.addresses import normal
from target_twilio.client import MARGIN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from target_twilio.client import Listed
    from target_twilio.keys import Digests
    from target_twilio.ledger import Entry

TRIAL: Final = "Sent from your Twilio trial account - "
"""What Twilio puts before the texts of trial accounts."""


def match(
    entries: Iterable[Entry],
    messages: Iterable[Listed],
    digests: Digests,
    is_known: Callable[[str], bool],
) -> dict[bytes, Listed]:
    """Find the one message of each key.

    A key has none where several messages could be its, or where several keys say the same to the
    same person: nobody could tell which of them was sent.

    Args:
        entries: All keys that are not settled.
        messages: What was created since the first of them was tried, or before.
        is_known: Tells whether a message is another key's.

    Returns:
        Messages by the keys' ids.
    """
    comparable = [one for one in entries if one.recipient is not None and one.text is not None]
    saying = Counter((one.recipient, one.text) for one in comparable)
    wanted = {
        (one.recipient, one.text): one for one in comparable if saying[one.recipient, one.text] == 1
    }
    found: Mapping[bytes, list[Listed]] = defaultdict(list)
    for message in messages:
        entry = _entry_of(message, wanted, digests)
        if entry is not None and not is_known(message.sid):
            found[entry.id].append(message)
    return {id_: several[0] for id_, several in found.items() if len(several) == 1}


def _entry_of(
    message: Listed,
    wanted: Mapping[tuple[bytes | None, bytes | None], Entry],
    digests: Digests,
) -> Entry | None:
    """Give the key that a message may be of."""
    if not message.is_outbound or message.to is None or message.body is None:
        return None
    recipient = recipient_of(message.to, digests)
    for text in dict.fromkeys((message.body, message.body.removeprefix(TRIAL))):
        entry = wanted.get((recipient, text_of(text, digests)))
        if (
            entry is not None
            and message.created >= entry.at - MARGIN
            and _is_senders(message, entry, digests)
        ):
            return entry
    return None


def _is_senders(message: Listed, entry: Entry, digests: Digests) -> bool:
    """Tell whether a message was sent by whom a key wants."""
    if entry.service is not None:
        service = message.messaging_service_sid
        if service is None or sender_of(service, digests) != entry.service:
            return False
        # A service chooses its sender late.
        if message.sender is None:
            return True
    if entry.sender is None:
        return entry.service is not None
    return message.sender is not None and sender_of(message.sender, digests) == entry.sender


def shows(message: Listed, wanted: Mapping[str, str]) -> bool:
    """Tell whether a message is as an update would have made it; one to be deleted is not."""
    if "Status" in wanted:
        return message.status == wanted["Status"]
    return "Body" in wanted and message.body == wanted["Body"]


def recipient_of(address: str, digests: Digests) -> bytes:
    """Hash a recipient."""
    return digests.of("recipient", normal(address) or address)


def text_of(text: str, digests: Digests) -> bytes:
    """Hash a text; Twilio leaves out what surrounds it."""
    return digests.of("text", text.strip())


def sender_of(address: str, digests: Digests) -> bytes:
    """Hash a sender, or the SID of a Messaging Service."""
    return digests.of("sender", normal(address) or address)
