"""A run: rows in, requests out, and what became of each row written down."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import msgspec

from tap_twilio.http.errors import TapError, UnreachableError
from target_twilio import actions, messages, settle
from target_twilio.client import (
    RETRIES,
    Client,
    Denied,
    Done,
    NotSent,
    Refused,
    Unsure,
    denial,
)
from target_twilio.codes import OPTED_OUT, QUEUE_FULL, meaning
from target_twilio.fields import MisfitError
from target_twilio.guards import Failures, Pace
from target_twilio.keys import Digests, Personal
from target_twilio.ledger import REJECTED, SENDING, SUPPRESSED, UNDONE, UNKNOWN, Entry, Ledger
from target_twilio.messages import Defaults
from target_twilio.prices import Prices
from target_twilio.results import Results
from target_twilio.rows import NAME, Result, Task
from target_twilio.settling import SCHEDULED, Settler

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from target_twilio.actions import Action
    from target_twilio.client import Answer
    from target_twilio.messages import Draft
    from target_twilio.rows import Row
    from target_twilio.settings import Settings
    from target_twilio.stops import Stops

logger = logging.getLogger("target-twilio")

FIRST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 60.0
"""Seconds before a request that was surely not done is made again, where Twilio names none."""

SILENCE: Final = 600.0
"""Seconds of such pauses after which the run gives up."""

QUEUE_TRIES: Final = 3
"""How often to try while a sender's queue is full."""


class HaltError(TapError):
    """The run must not go on, and the row in hand was not sent."""


class Run:
    """One run of the target."""

    def __init__(self, settings: Settings, stops: Stops) -> None:
        """Open nothing yet."""
        self._settings = settings
        self._stops = stops
        self._client = Client(settings)
        self._pace = Pace(settings.rate, stops.wait)
        self._failures = Failures(settings.max_failures)
        self._rows = 0
        self._batch: list[Task] = []
        self._dropped = 0
        self._seen: dict[bytes, bytes] = {}

    # --- How it begins and ends --------------------------------------------------------------

    def begin(self) -> None:
        """Open the ledger and the results, sign in, and settle what an earlier run left.

        Raises:
            TapError: Something of that can't be done; nothing was sent.
        """
        settings = self._settings
        path = settings.ledger_path
        if path is not None and settings.send and not path.exists():
            logger.warning("%s is a new ledger. It does not know what was sent before", path)
        if path is not None and (settings.send or path.exists()):
            self._ledger = Ledger.open(path, settings.account_sid)
        else:
            self._ledger = Ledger.temporary(settings.account_sid)
        self._digests = Digests(self._ledger.salt)
        self.results = Results(settings.results_path, self._client.clock.now)
        self._settler = Settler(
            self._client, self._ledger, self._digests, self.results, self._stops
        )
        self._prices = Prices(self._client.sign_in())
        if not settings.send:
            logger.info("Dry run: the target sends nothing, because the setting send is not true")
        elif not self._client.may_read:
            logger.warning(
                "The credentials may not read messages. Rows whose answer is lost stay unknown"
            )
        if settings.send:
            self._settler.settle()

    def finish(self, *, may_wait: bool = True) -> None:
        """Send what waits, settle what is unsure, and tell what the run did.

        Args:
            may_wait: Whether there is time to settle.
        """
        self.flush()
        if may_wait and self._settings.send and self._settler.waiting:
            logger.info(
                "Twilio's answers to %d rows were lost. The target looks for them in %g s",
                len(self._settler.waiting),
                self._settings.settle_delay,
            )
            self._stops.wait(self._settings.settle_delay)
            self._settler.settle()
        for entry in self._ledger.unsettled():
            if not self.results.is_told_unknown(entry.id):
                self.results.tell_entry(entry)

    @property
    def has_failures(self) -> bool:
        """Whether a row was rejected, or is unknown."""
        return bool(self.results.outcomes[REJECTED] or self._ledger.unsettled())

    def close(self) -> None:
        """Give the ledger and the results back."""
        self.results.close()
        self._ledger.close()

    # --- One row -----------------------------------------------------------------------------

    def take(self, row: Row) -> None:
        """Do what a row asks for, if nothing speaks against it, and write down what came of it.

        Raises:
            HaltError: The run must not go on.
        """
        task = self._task(row)
        if self._batch and (
            self._batch[0].row.action is not row.action
            or any(one.id == task.id for one in self._batch)
        ):
            self.flush()
        try:
            draft = self._understood(task)
            if draft is None:
                return
            self._check_time(draft)
        except MisfitError as error:
            self._reject(task, error)
            return
        self._count()
        if not self._settings.send:
            self._seen[task.id] = task.content
            self._failures.succeeded()
            self.results.tell(task, Result(row.action.would))
        elif row.action.batch == 1:
            self._carry_out(task, draft)
        else:
            if any(one.name == task.name for one in self._batch):
                self.flush()
            self._batch.append(task)
            if len(self._batch) == row.action.batch:
                self.flush()

    def _task(self, row: Row) -> Task:
        personal = Personal(
            [row.values.get(name) for name in row.action.addresses],
            [row.values.get(name) for name in row.action.texts],
            self._digests,
        )
        return Task(
            row,
            self._digests.of("key", row.stream, row.key),
            personal.conceal(row.key),
            personal.conceal(row.carried),
        )

    def _understood(self, task: Task) -> Draft | None:
        """Find out what a row wants; none where that is nothing more, which is written down.

        Raises:
            MisfitError: It makes no sense.
        """
        row = task.row
        if nameless := sorted(name for name, value in row.key.items() if value is None):
            msg = f"{', '.join(nameless)}: a key field is null, so that no row is like another"
            raise MisfitError(msg)
        task.before = self._ledger.find(task.id)
        defaults = Defaults(self._settings.sender, self._settings.messaging_service_sid)
        draft = task.draft = actions.understand(row.action, row.values, defaults)
        task.entry = self._entry(task, draft)
        if self._is_known(task, task.entry):
            return None
        if draft.recipient is None:
            return draft
        if self._is_denied(draft.recipient):
            message = "the recipient is denied, or not among those allowed"
            self._settle_row(task, Result(SUPPRESSED, message=message))
            return None
        has_media = draft.value("MediaUrl") is not None
        task.estimate = self._prices.of(draft.recipient, draft.segments, has_media=has_media)
        return draft

    def _entry(self, task: Task, draft: Draft) -> Entry:
        digests, row = self._digests, task.row
        is_message = row.action.makes_messages
        recipient, text = draft.recipient, draft.text
        sender, service = draft.sender, draft.service
        return Entry(
            id=task.id,
            stream=row.stream,
            key=task.shown,
            action=row.action.name,
            content=digests.of("content", row.action.name, sorted(draft.own), draft.sid),
            outcome=SENDING,
            at=self._client.clock.now(),
            sid=draft.sid,
            recipient=settle.recipient_of(recipient, digests) if is_message and recipient else None,
            text=settle.text_of(text, digests) if is_message and text else None,
            sender=settle.sender_of(sender, digests) if sender else None,
            service=settle.sender_of(service, digests) if service else None,
        )

    def _is_known(self, task: Task, entry: Entry) -> bool:
        """Tell whether a key needs nothing more to be done, and write that down."""
        before, action = task.before, task.row.action
        if task.id in self._seen:
            before = entry.became(action.done) if before is None else before
            is_same = self._seen[task.id] == entry.content
        elif before is None or before.outcome in UNDONE:
            return False
        elif before.is_unsettled:
            if not action.makes_messages or self._may_resend(before):
                return False
            self.results.tell_unknown(task, before.code)
            return True
        else:
            is_same = before.content == entry.content
        if not is_same and action.is_upsert:
            return False
        if is_same:
            self.results.tell(task, Result("duplicate", before.sid))
        else:
            message = "it was sent before, with other content"
            self.results.tell(task, Result("changed", before.sid, message=message))
        return True

    def _may_resend(self, before: Entry) -> bool:
        waited = self._client.clock.now() - before.at
        return self._settings.unsure == "resend" and waited >= self._settings.settle

    def _is_denied(self, recipient: str) -> bool:
        allowed, denied = self._settings.allow_recipients, self._settings.deny_recipients
        if denied is not None and denied.hold(recipient):
            return True
        return allowed is not None and not allowed.hold(recipient)

    def _check_time(self, draft: Draft) -> None:
        """Look whether now, or the moment of a schedule, is a time to send.

        Raises:
            MisfitError: The schedule makes no sense.
            HaltError: It is no time to send.
        """
        window, now = self._settings.send_window, self._client.clock.now()
        if draft.send_at is not None:
            messages.check_schedule(draft.send_at, now)
            if window is not None and not window.holds(draft.send_at):
                msg = f"send_at: it is outside of send_window, {window}"
                raise MisfitError(msg)
        elif draft.recipient is None or not self._settings.send:
            return
        elif window is not None and not window.holds(now):
            msg = f"send_window: it is not the time to send, which is {window}; run again then"
            raise HaltError(msg)

    def _count(self) -> None:
        if self._rows == self._settings.max_rows:
            msg = (
                f"max_rows: {self._rows} rows are sent, and more would come; run again for the "
                "next, or raise it"
            )
            raise HaltError(msg)
        self._rows += 1

    # --- One request -------------------------------------------------------------------------

    def _carry_out(self, task: Task, draft: Draft) -> None:
        answer = self._ask([task], task.row.action, draft.sid, draft.params)
        if isinstance(answer, Done):
            sid, status = answer.content.get("sid"), answer.content.get("status")
            is_scheduled = task.row.action.makes_messages and status == SCHEDULED
            outcome = SCHEDULED if is_scheduled else task.row.action.done
            self._settle_row(task, Result(outcome, draft.sid or sid, status))
            if draft.send_at is not None and not is_scheduled:
                msg = f"send_at: {sid} was to be scheduled, and Twilio says that it is {status}"
                raise HaltError(msg)
        else:
            self._give_up(task, answer)

    def flush(self) -> None:
        """Send the rows that wait for more of their kind.

        Raises:
            HaltError: They were not sent, now or before: no state may pass them.
        """
        if self._dropped:
            msg = f"{self._dropped} rows that waited for more of their kind were not sent"
            raise HaltError(msg)
        if not self._batch:
            return
        tasks, self._batch = self._batch, []
        action = tasks[0].row.action
        items: list[tuple[str, str]] = []
        for task in tasks:
            item: dict[str, str] = dict(task.draft.own) if task.draft is not None else {}
            item.setdefault(NAME, task.name)
            items.append(("Items", msgspec.json.encode(item).decode()))
        self._dropped = len(tasks)
        answer = self._ask(tasks, action, None, items)
        self._dropped = 0
        said: dict[str, dict[str, Any]] = {}
        if isinstance(answer, Done):
            told = (one for one in answer.content["items"] if isinstance(one, dict))
            said = {str(one.get(NAME)): one for one in told}
            answer = Unsure("the answer says nothing of the row")
        halt: HaltError | None = None
        for task in tasks:
            try:
                self._note_item(task, said.get(task.name), answer)
            except HaltError as error:
                halt = error
        if halt is not None:
            raise halt

    def _note_item(self, task: Task, said: Mapping[str, Any] | None, answer: Answer) -> None:
        """Write down what became of a row among several.

        Args:
            said: What the answer says of it.
            answer: What is known of it otherwise.
        """
        if said is None:
            self._give_up(task, answer)
        elif code := said.get("error_code"):
            self._give_up(task, Refused(HTTPStatus.OK, code if isinstance(code, int) else None))
        else:
            self._settle_row(task, Result(task.row.action.done))

    def _ask(
        self,
        tasks: Sequence[Task],
        action: Action,
        sid: str | None,
        params: Sequence[tuple[str, str]],
    ) -> Answer:
        """Make a request, again as long as it surely was not done.

        Raises:
            HaltError: It was not done, and can't be.
        """
        entries = [task.entry for task in tasks if task.entry is not None]
        waited, pause, tries = 0.0, FIRST_PAUSE, 0
        while True:
            self._pace()
            # Before anything leaves, it is on the disk that it may have left.
            self._ledger.put(*entries)
            answer = self._client.write(action, sid, params)
            if not isinstance(answer, (NotSent, Denied)):
                return answer
            tries += 1
            if isinstance(answer, NotSent) and answer.code == QUEUE_FULL and tries > QUEUE_TRIES:
                return Refused(HTTPStatus.TOO_MANY_REQUESTS, answer.code)
            self._ledger.withdraw([(task.id, task.before) for task in tasks])
            if isinstance(answer, Denied):
                raise HaltError(str(denial(answer.status, answer.code)))
            if answer.error is not None:
                if not isinstance(answer.error, UnreachableError) or tries > RETRIES:
                    raise HaltError(str(answer.error))
                logger.warning("Not sent: %s", answer.error)
            elif waited > SILENCE:
                msg = f"Twilio takes nothing more for {SILENCE:g} s (error {answer.code})"
                raise HaltError(msg)
            else:
                self._pace.slow_down()
            wait = answer.pause or pause
            self._stops.wait(wait)
            waited, pause = waited + wait, min(2 * pause, LONGEST_PAUSE)

    def _give_up(self, task: Task, answer: Answer) -> None:
        action = task.row.action
        if isinstance(answer, Refused):
            message = meaning(answer.code, answer.status)
            if answer.status == HTTPStatus.NOT_FOUND and action.method == "DELETE":
                self._settle_row(task, Result(action.done, message="it was gone already"))
            elif answer.code == OPTED_OUT:
                self._settle_row(task, Result(SUPPRESSED, code=answer.code, message=message))
            else:
                self._reject(task, MisfitError(message, answer.code))
        elif isinstance(answer, Unsure) and task.entry is not None:
            entry = task.entry.became(UNKNOWN, code=answer.code)
            self._ledger.put(entry)
            self._settler.waiting[task.id] = task
            logger.warning("It is unknown whether a row was sent: %s", answer.reason)
            self.results.tell_unknown(task, entry.code)

    # --- What becomes of a row ---------------------------------------------------------------

    def _settle_row(self, task: Task, result: Result) -> None:
        """Write down a certain outcome, first into the ledger."""
        is_undone, before = result.outcome in UNDONE, task.before
        if self._settings.send and task.entry is not None:
            entry = task.entry.became(result.outcome, sid=result.sid, code=result.code)
            if is_undone and before is not None and before.is_unsettled:
                # An attempt of which nobody knows outweighs a later one that was refused.
                entry = before if task.row.action.makes_messages else entry
            self._ledger.put(entry)
        if not is_undone:
            self._failures.succeeded()
        self.results.tell(task, result)

    def _reject(self, task: Task, error: MisfitError) -> None:
        """Write down that a row makes no sense, or that Twilio refused it.

        Raises:
            HaltError: It is one too many.
        """
        before, key = task.before, task.row.key
        if task.entry is None and before is not None and before.outcome not in UNDONE:
            # Whatever the row says now: what is known of its key stays.
            if not before.is_unsettled:
                self.results.tell(task, Result("changed", before.sid, None, error.code, str(error)))
                return
        elif task.entry is None and None not in key.values():
            task.entry = Entry(
                id=task.id,
                stream=task.row.stream,
                key=task.shown,
                action=task.row.action.name,
                content=self._digests.of("content", task.row.action.name),
                outcome=REJECTED,
                at=self._client.clock.now(),
            )
        self._settle_row(task, Result(REJECTED, code=error.code, message=str(error)))
        if self._settings.stops_on_error:
            msg = f"on_error: a row of {task.row.stream} was rejected: {error}"
            raise HaltError(msg)
        if self._failures.failed():
            msg = (
                f"max_failures: {self._settings.max_failures} rows in a row were rejected, the "
                f"last of {task.row.stream}: {error}"
            )
            raise HaltError(msg)
