"""Addresses of people and senders: how they are written, and when two are the same."""

from __future__ import annotations

import re
from typing import Final

_CHANNEL: Final = re.compile(r"([a-z][a-z0-9]*):(.+)", re.IGNORECASE | re.DOTALL)
_FORMATTING: Final = re.compile(r"[\s().\-/\u00a0\u2010-\u2015]+")
_NUMBER: Final = re.compile(r"\+[1-9][0-9]{4,14}")
_OTHER: Final = re.compile(r"[!-~]{1,255}")

OF_NUMBERS: Final = frozenset({"", "whatsapp", "rcs"})
"""Channels whose addresses are phone numbers; SMS and MMS have no name."""


def split(address: str) -> tuple[str, str]:
    """Part an address into its channel, empty for SMS and MMS, and what is behind it."""
    match = _CHANNEL.fullmatch(address.strip())
    return (match[1].lower(), match[2]) if match else ("", address.strip())


def normal(address: str) -> str | None:
    """Write an address as Twilio does, without formatting; none if it can't be one.

    A number without ``+`` is none: Twilio would guess its country, and lists wouldn't know it.
    """
    channel, rest = split(address)
    if channel not in OF_NUMBERS:
        return f"{channel}:{rest}" if _OTHER.fullmatch(rest) else None
    number = _FORMATTING.sub("", rest)
    if not _NUMBER.fullmatch(number):
        return None
    return f"{channel}:{number}" if channel else number


def digits(address: str) -> str:
    """Give what tells people apart, whatever the channel and the formatting."""
    _, rest = split(address)
    found = re.sub(r"[^0-9]", "", rest)
    return found if "+" in rest else found.removeprefix("00")
