"""What messages may cost: what the account paid lately for the like of them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Final

from target_twilio.addresses import digits, split

if TYPE_CHECKING:
    from collections.abc import Iterable

    from target_twilio.client import Listed

_TWO: Final = frozenset(
    {20, 27, *range(30, 35), 36, 39, 40, 41, *range(43, 50), *range(51, 59), *range(60, 67)}
    | {81, 82, 84, 86, *range(90, 96), 98}
)
"""Country codes of two digits. Those that begin with 1 or 7 have one, and all others three."""

_ISLANDS: Final = frozenset(
    {242, 246, 264, 268, 284, 340, 345, 441, 473, 649, 658, 664, 670, 671, 684, 721, 758, 767}
    | {784, 787, 809, 829, 849, 868, 869, 876, 939}
)
"""Area codes of +1 outside of the United States and Canada, with prices of their own."""


@dataclass(frozen=True)
class Estimate:
    """What a message may cost.

    Attributes:
        segments: How many it is billed as; none where that is not by segments.
        price: None where the account has paid nothing lately that would tell.
        unit: Currency.
    """

    segments: int | None = None
    price: Decimal | None = None
    unit: str = ""


NOTHING: Final = Estimate()


def market(address: str) -> str:
    """Tell whose prices are an address's: a country's, mostly."""
    number = digits(address)
    if number.startswith(("1", "7")):
        is_island = number[0] == "1" and number[1:4].isdigit() and int(number[1:4]) in _ISLANDS
        return number[:4] if is_island else number[:1]
    return number[:2] if number and int(number[:2]) in _TWO else number[:3]


def _kind(address: str, *, has_media: bool) -> tuple[str, str]:
    channel = split(address)[0] or ("mms" if has_media else "sms")
    return channel, market(address)


class Prices:
    """Prices of the account's last messages."""

    def __init__(self, messages: Iterable[Listed]) -> None:
        """Learn from messages, the newest first."""
        self._known: dict[tuple[str, str], tuple[Decimal, str]] = {}
        for message in messages:
            price = _paid(message)
            if price is not None and message.to is not None:
                has_media = message.num_media not in {None, "", "0"}
                kind = _kind(message.to, has_media=has_media)
                self._known.setdefault(kind, (price, str(message.price_unit or "").upper()))

    def of(self, recipient: str, segments: int | None, *, has_media: bool) -> Estimate:
        """Estimate a message's price."""
        known = self._known.get(_kind(recipient, has_media=has_media))
        if known is None:
            return Estimate(segments)
        price, unit = known
        return Estimate(segments, price * (segments or 1), unit)


def _paid(message: Listed) -> Decimal | None:
    """Give the price of a message, or of each of its segments."""
    if not message.is_outbound or message.price is None:
        return None
    try:
        price, parts = abs(Decimal(str(message.price))), Decimal(str(message.num_segments or 1))
    except InvalidOperation:
        return None
    is_sms = message.to is not None and not split(message.to)[0]
    if not price.is_finite() or not parts.is_finite():
        return None
    return price / parts if is_sms and parts > 1 and message.num_media in {None, "", "0"} else price
