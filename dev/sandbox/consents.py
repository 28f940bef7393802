"""Who wants no messages, and from whom: opt-outs, and the consents that clients report."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from sandbox import errors
from sandbox.moments import read_iso

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sandbox.frames import Wire

MOST_ITEMS: Final = 25
"""The most consents that one request may report."""

_NUMBER: Final = re.compile(r"\+[1-9]\d{6,14}")
_SENDER: Final = re.compile(r"MG[0-9a-fA-F]{32}|\+[1-9]\d{6,14}|\d{4,6}")
_CORRELATION: Final = re.compile(r"[0-9a-fA-F]{32}")
_SOURCES: Final = ("website", "offline", "opt-in-message", "opt-out-message", "others")
_INVALID: Final = 20001


def _is_moment(text: str) -> bool:
    try:
        read_iso(text)
    except ValueError:
        return False
    return True


_RULES: Final[Mapping[str, Callable[[str], object]]] = {
    "contact_id": _NUMBER.fullmatch,
    "correlation_id": _CORRELATION.fullmatch,
    "sender_id": _SENDER.fullmatch,
    "status": ("opt-in", "opt-out").__contains__,
    "source": _SOURCES.__contains__,
    "date_of_consent": lambda text: not text or _is_moment(text),
}
_OPTIONAL: Final = frozenset(("date_of_consent",))


class Consents:
    """What is known of people's wishes."""

    def __init__(self) -> None:
        """Know nothing: everybody may be written to."""
        self.records: dict[tuple[str, str, str], Wire] = {}
        self._opted_out: set[tuple[str, str | None]] = set()

    def opt_out(self, number: str, sender: str | None = None) -> None:
        """Let somebody reply STOP, to one sender or service, or to all."""
        self._opted_out.add((number, sender))

    def opt_in(self, number: str, sender: str | None = None) -> None:
        """Let somebody reply START: to one, or to all."""
        if sender is None:
            self._opted_out = {one for one in self._opted_out if one[0] != number}
        self._opted_out.discard((number, sender))

    def refuses(self, number: str, senders: Sequence[str | None]) -> bool:
        """Tell whether somebody wants nothing from any of these."""
        if not self._opted_out:
            return False
        return any((number, one) in self._opted_out for one in (None, *senders))

    def report(self, account_sid: str, items: Sequence[str]) -> Wire:
        """Take in what a client reports; what was reported earlier is replaced.

        Args:
            account_sid: Whose contacts they are.
            items: A JSON object each.

        Returns:
            What became of each.

        Raises:
            TwilioError: If there are none or too many.
        """
        if not 0 < len(items) <= MOST_ITEMS:
            name, given = "Items", f"{len(items)}, of 1 to {MOST_ITEMS}"
            raise errors.invalid(name, given)
        return {"items": [self._take(account_sid, one) for one in items]}

    def _take(self, account_sid: str, text: str) -> Wire:
        try:
            item = json.loads(text)
        except ValueError:
            item = None
        if not isinstance(item, dict):
            item, faults = {}, ["The item is no JSON object"]
        else:
            faults = [
                f"{name} is missing or invalid"
                for name, is_valid in _RULES.items()
                if not (name in _OPTIONAL and item.get(name) is None)
                and not (isinstance(item.get(name), str) and is_valid(item[name]))
            ]
        if not faults:
            contact, sender = item["contact_id"], item["sender_id"]
            self.records[account_sid, contact, sender] = {"account_sid": account_sid, **item}
            (self.opt_out if item["status"] == "opt-out" else self.opt_in)(contact, sender)
        return {
            "contact_id": item.get("contact_id"),
            "correlation_id": item.get("correlation_id"),
            "error_code": _INVALID if faults else 0,
            "error_messages": faults,
        }
