"""Settling: what became of keys of which nobody knows, written down as far as Twilio tells."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from tap_twilio.http.errors import AbsentError, TapError
from target_twilio import actions, settle
from target_twilio.client import MARGIN
from target_twilio.ledger import SENDING, UNKNOWN
from target_twilio.rows import Result

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_twilio.actions import Action
    from target_twilio.client import Client, Listed
    from target_twilio.keys import Digests
    from target_twilio.ledger import Entry, Ledger
    from target_twilio.results import Results
    from target_twilio.rows import Task
    from target_twilio.stops import Stops

logger = logging.getLogger("target-twilio")

SCHEDULED: Final = "scheduled"
"""Status, and outcome, of a message that waits for its moment."""


class Settler:
    """Finds out about keys that are not settled.

    Attributes:
        waiting: Rows of this run whose answers were lost, by their ids.
    """

    def __init__(
        self, client: Client, ledger: Ledger, digests: Digests, results: Results, stops: Stops
    ) -> None:
        """Ask nothing yet."""
        self.waiting: dict[bytes, Task] = {}
        self._client = client
        self._ledger = ledger
        self._digests = digests
        self._results = results
        self._stops = stops

    def settle(self) -> None:
        """Look at Twilio for what became of keys that are not settled."""
        entries = self._ledger.unsettled()
        found: dict[bytes, tuple[str, Listed | None]] = {}
        if entries and self._client.may_read:
            try:
                self._look_up(entries, found)
            except TapError as error:
                logger.warning(
                    "The target cannot find out now what became of lost answers: %s", error
                )
        for entry in entries:
            with self._stops.held():
                self._note(entry, found.get(entry.id))

    def _look_up(
        self, entries: Sequence[Entry], found: dict[bytes, tuple[str, Listed | None]]
    ) -> None:
        """Find what became of keys, as far as Twilio tells."""
        sent = [one for one in entries if actions.ACTIONS[one.action].makes_messages]
        if any(one.text is not None for one in sent):
            listed = self._client.messages(min(one.at for one in sent) - MARGIN)
            matched = settle.match(sent, listed, self._digests, self._ledger.has_message)
            for id_, message in matched.items():
                is_scheduled = message.status == SCHEDULED
                found[id_] = (SCHEDULED if is_scheduled else "sent", message)
        for entry in entries:
            action = actions.ACTIONS[entry.action]
            if action.readback == "sid" and self._is_visible(entry, action):
                found[entry.id] = (action.done, None)

    def _is_visible(self, entry: Entry, action: Action) -> bool:
        """Tell whether a message shows that an action was done."""
        try:
            message = self._client.message(entry.sid or "")
        except AbsentError:
            return action.method == "DELETE"
        return settle.shows(message, dict(action.fixed))

    def _note(self, entry: Entry, found: tuple[str, Listed | None] | None) -> None:
        """Write down what was found of a key."""
        if found is None:
            if entry.outcome == SENDING:
                self._ledger.put(entry.became(UNKNOWN))
            return
        outcome, message = found
        sid = message.sid if message is not None else entry.sid
        status = message.status if message is not None else None
        known = entry.became(outcome, sid=sid)
        self._ledger.put(known)
        self._results.forget(entry.id)
        task = self.waiting.pop(entry.id, None)
        if task is None:
            self._results.tell_entry(known, status=status)
        else:
            self._results.tell(task, Result(outcome, sid, status), is_settled=True)
