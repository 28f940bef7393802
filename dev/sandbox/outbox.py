"""Messages that clients have created, from their acceptance to their last status.

They are few beside the computed ones, and unlike those they are kept. What one says of itself is a
function of the moment, so that nothing needs to happen for a schedule to come due.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from sandbox.identifiers import SidSpace, mix, seed_of
from sandbox.messaging import (
    FAILURES,
    LONGEST_WAIT,
    OUTCOMES,
    price_of,
    rated_at,
    settled_at,
)
from sandbox.moments import first_moment, rfc2822
from sandbox.segments import count_segments
from sandbox.tables import ADDED, EVERYTHING, Shelf, Source, Span

if TYPE_CHECKING:
    from sandbox.frames import Key, Wire

Clock = Callable[[], int]

FINAL: Final = frozenset(
    ("delivered", "undelivered", "failed", "canceled", "read", "received", "partially_delivered")
)
"""Statuses that don't change any more."""

_OUTSIDE_WINDOW: Final = 63016
_HIDDEN: Final = 4
_PLACES: Final = ADDED * 4
"""Places from here on belong to messages that clients have created."""

_TYPES: Final = {"gif": "image/gif", "mp3": "audio/mpeg", "png": "image/png", "vcf": "text/vcard"}


class Order(NamedTuple):
    """What a client has asked for, once nothing speaks against it.

    Attributes:
        to: The recipient's address.
        sender: From whom, if the client or Twilio has chosen; else one of the pool.
        pool: The senders of the Messaging Service that can reach the recipient.
        service: The Messaging Service's SID, if there is one.
        body: The text, with variables filled in.
        media: The addresses of media.
        due: When it shall be sent, if later.
        template: Whether the text is an approved one.
        parameters: All that was asked, as it came.
    """

    to: str
    sender: str | None
    pool: Sequence[str]
    service: str | None
    body: str
    media: Sequence[str]
    due: int | None
    template: bool
    parameters: dict[str, str | list[str]]


@dataclass(slots=True, eq=False)
class Message:
    """A message that a client has created.

    Attributes:
        sid: Its SID.
        account_sid: Whose it is.
        place: How many there were before it.
        bits: 64 random bits of its own.
        created: When it was accepted.
        order: What was asked for.
        canceled: When it was canceled, if it was.
        redacted: When its text was taken away, if it was.
        deleted: When it was deleted, if it was.
        fixed: Fields that say something else, whatever they would say.
    """

    sid: str
    account_sid: str
    place: int
    bits: int
    created: int
    order: Order
    canceled: int | None = None
    redacted: int | None = None
    deleted: int | None = None
    fixed: Wire = field(default_factory=dict)

    @property
    def sent(self) -> int:
        """The moment of its sending."""
        due = self.created if self.order.due is None else self.order.due
        return due + (self.bits >> 8) % LONGEST_WAIT

    def status(self, now: int) -> str:
        """Tell how far it has come."""
        order, sent = self.order, self.sent
        if "status" in self.fixed:
            return str(self.fixed["status"])
        if self.canceled is not None:
            return "canceled"
        if order.due is not None and now < order.due:
            return "scheduled"
        if now <= sent:
            return "accepted" if order.service else "queued"
        if now < settled_at(sent, self.bits):
            return "sending" if now < sent + 2 else "sent"
        return self._outcome()

    def listed(self, now: int) -> int:
        """Give the moment by which lists sort it: its sending, until then its creation."""
        if self.fixed:
            return first_moment(self.row(now), ("date_sent", "date_created")) or self.created
        return self.sent if self.canceled is None and now > self.sent else self.created

    def row(self, now: int) -> Wire:
        """Write it as it stands on the wire."""
        order, sent, sid = self.order, self.sent, self.sid
        status = self.status(now)
        waits = self.canceled is not None or now <= sent
        error = FAILURES.get(status)
        if error is not None and self._is_outside_window():
            error = _OUTSIDE_WINDOW
        segments = 1 if order.media else count_segments(order.body)
        priced = not waits and status != "failed" and now >= rated_at(sent, self.bits)
        unknown = waits and order.service is not None
        parameters = order.parameters
        hidden = parameters.get("AddressRetention") == "obfuscate"
        silent = self.redacted is not None or parameters.get("ContentRetention") == "discard"
        uri = f"/2010-04-01/Accounts/{self.account_sid}/Messages/{sid}"
        return {
            "sid": sid,
            "account_sid": self.account_sid,
            "body": "" if silent else order.body,
            "num_segments": "0" if unknown else str(segments),
            "num_media": str(len(order.media)),
            "direction": "outbound-api",
            "from": order.sender if order.sender or unknown else self._chosen(),
            "to": f"{order.to[:-_HIDDEN]}{'X' * _HIDDEN}" if hidden else order.to,
            "date_created": rfc2822(self.created),
            "date_updated": rfc2822(self._updated(now, priced=priced)),
            "date_sent": None if waits else rfc2822(sent),
            "status": status,
            "price": price_of(segments) if priced else None,
            "price_unit": "USD",
            "error_code": error,
            "error_message": None if error is None else "Message could not be delivered",
            "messaging_service_sid": order.service,
            "tags": None,
            "api_version": "2010-04-01",
            "uri": f"{uri}.json",
            "subresource_uris": {"media": f"{uri}/Media.json", "feedback": f"{uri}/Feedback.json"},
            **self.fixed,
        }

    def media(self) -> Shelf:
        """List its media."""
        space = SidSpace("ME", seed_of("media", self.sid))
        created = rfc2822(self.created)
        rows: list[Wire] = []
        for place, url in enumerate(self.order.media):
            sid = space.mint(place)
            path = f"/2010-04-01/Accounts/{self.account_sid}/Messages/{self.sid}/Media/{sid}.json"
            rows.append(
                {
                    "sid": sid,
                    "account_sid": self.account_sid,
                    "parent_sid": self.sid,
                    "content_type": _TYPES.get(url.rpartition(".")[2].lower(), "image/jpeg"),
                    "date_created": created,
                    "date_updated": created,
                    "uri": path,
                }
            )
        return Shelf(lambda _: rows)

    def _updated(self, now: int, *, priced: bool) -> int:
        moments = [self.created, self.canceled or 0, self.redacted or 0]
        if self.canceled is None and now > self.sent:
            settled = settled_at(self.sent, self.bits)
            moments += [self.sent, settled if now >= settled else 0]
            moments += [rated_at(self.sent, self.bits)] * priced
        return max(moments)

    def _outcome(self) -> str:
        if self._is_outside_window():
            return "undelivered"
        outcome = OUTCOMES[(self.bits >> 51) % len(OUTCOMES)]
        # Only messengers tell that a text was read.
        return "delivered" if outcome == "read" and ":" not in self.order.to else outcome

    def _is_outside_window(self) -> bool:
        """Tell whether WhatsApp drops it: nobody has written first, and it is no template."""
        return self.order.to.startswith("whatsapp:") and not self.order.template

    def _chosen(self) -> str | None:
        pool = self.order.pool
        return pool[self.bits % len(pool)] if pool else None


class Outbox:
    """The messages that clients have created for one account.

    Args:
        account_sid: Whose they are.
        seed: What their SIDs and fates depend on.
        clock: Tells the moment.
    """

    def __init__(self, account_sid: str, seed: int, clock: Clock) -> None:
        """Start empty."""
        self._account_sid = account_sid
        self._seed = seed_of(seed, "outbox", account_sid)
        self._sids = SidSpace("SM", self._seed)
        self._clock = clock
        self._by_sid: dict[str, Message] = {}
        self._by_recipient: dict[str, list[Message]] = defaultdict(list)
        self._all: list[Message] = []
        self._due: list[tuple[int, int]] = []
        self._canceled = 0
        self.letters = Letters(self._all, self._by_sid, clock)

    def accept(self, order: Order) -> Message:
        """Take a message in."""
        place = len(self._all)
        sid = self._sids.mint(place)
        message = Message(
            f"MM{sid[2:]}" if order.media else sid,
            self._account_sid,
            place,
            mix(self._seed, place),
            self._clock(),
            order,
        )
        self._all.append(message)
        self._by_sid[message.sid] = message
        self._by_recipient[order.to].append(message)
        if order.due is not None:
            heapq.heappush(self._due, (order.due, place))
        self.letters.changes += 1
        return message

    def get(self, sid: str) -> Message | None:
        """Find a message that is not deleted."""
        message = self._by_sid.get(sid)
        return None if message is None or message.deleted is not None else message

    def cancel(self, message: Message) -> None:
        """Cancel a scheduled message."""
        message.canceled = self._clock()
        self._canceled += 1
        self.letters.changes += 1

    def redact(self, message: Message) -> None:
        """Take the text of a message away."""
        message.redacted = self._clock()

    def delete(self, message: Message) -> None:
        """Take a message off the lists."""
        message.deleted = self._clock()
        self.letters.changes += 1

    def fix(self, message: Message, fields: Wire) -> None:
        """Let fields of a message say something else."""
        message.fixed.update(fields)
        self.letters.changes += 1

    def scheduled(self) -> int:
        """Count the messages whose time has not come."""
        now = self._clock()
        while self._due and self._due[0][0] <= now:
            _, place = heapq.heappop(self._due)
            self._canceled -= self._all[place].canceled is not None
        return len(self._due) - self._canceled

    def sent_between(self, low: int, high: int) -> int:
        """Count the messages that were sent in a range of time, as bills do."""
        now = self._clock()
        return sum(
            message.canceled is None and low <= message.sent < min(high, now)
            for message in self._all
        )

    def letters_to(self, recipient: str) -> Letters:
        """Give the messages to one recipient as a list."""
        return Letters(self._by_recipient.get(recipient, ()), self._by_sid, self._clock)


class Letters:
    """Messages as a list shows them.

    Args:
        messages: Those that it may show.
        by_sid: All of the account's.
        clock: Tells the moment.

    Attributes:
        changes: How often the messages have changed by something else than time.
    """

    def __init__(
        self, messages: Sequence[Message], by_sid: dict[str, Message], clock: Clock
    ) -> None:
        """Keep all three."""
        self._messages = messages
        self._by_sid = by_sid
        self._clock = clock
        self.changes = 0
        self._sorted: tuple[tuple[int, int], list[tuple[Key, Message]]] = ((-1, -1), [])

    def scan(
        self,
        now: int,
        span: Span = EVERYTHING,
        after: Key | None = None,
        *,
        ascending: bool = False,
    ) -> Iterator[tuple[Key, Wire]]:
        """Give rows with their keys, from behind a key on."""
        del now
        moment = self._clock()
        keyed = self._in_order(moment)
        low, high = 0, len(keyed)
        if span.low is not None:
            low = bisect_left(keyed, (span.low, -1), key=_key)
        if span.high is not None:
            high = bisect_left(keyed, (span.high, -1), key=_key)
        if after is not None and ascending:
            low = max(low, bisect_right(keyed, after, key=_key))
        elif after is not None:
            high = min(high, bisect_left(keyed, after, key=_key))
        for place in range(low, high) if ascending else range(high - 1, low - 1, -1):
            key, message = keyed[place]
            yield key, message.row(moment)

    def locate(self, sid: str, now: int) -> Key | None:
        """Give the key of a row, even if it has gone since."""
        del now
        message = self._by_sid.get(sid)
        return None if message is None else _place(message, self._clock())

    def find(self, sid: str, now: int) -> Wire | None:
        """Give one row by its SID."""
        del now
        message = self._by_sid.get(sid)
        if message is None or message.deleted is not None:
            return None
        return message.row(self._clock())

    def _in_order(self, moment: int) -> list[tuple[Key, Message]]:
        state = (moment, self.changes)
        if self._sorted[0] != state:
            there = [one for one in self._messages if one.deleted is None]
            keyed = sorted(((_place(one, moment), one) for one in there), key=_key)
            self._sorted = (state, keyed)
        return self._sorted[1]


class Joined:
    """Computed messages and created ones as one list.

    Args:
        computed: The computed ones.
        letters: The created ones.
    """

    def __init__(self, computed: Source, letters: Letters) -> None:
        """Keep both."""
        self._computed = computed
        self._letters = letters

    def scan(
        self,
        now: int,
        span: Span = EVERYTHING,
        after: Key | None = None,
        *,
        ascending: bool = False,
    ) -> Iterator[tuple[Key, Wire]]:
        """Give rows with their keys, from behind a key on."""
        both = [
            one.scan(now, span, after, ascending=ascending)
            for one in (self._computed, self._letters)
        ]
        return heapq.merge(*both, key=lambda one: one[0], reverse=not ascending)

    def locate(self, sid: str, now: int) -> Key | None:
        """Give the key of a row that was listed once."""
        return self._letters.locate(sid, now) or self._computed.locate(sid, now)

    def find(self, sid: str, now: int) -> Wire | None:
        """Give one row by its SID."""
        return self._letters.find(sid, now) or self._computed.find(sid, now)


def _place(message: Message, moment: int) -> Key:
    return message.listed(moment), _PLACES + message.place


def _key(one: tuple[Key, Message]) -> Key:
    return one[0]
