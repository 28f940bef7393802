"""Ordering exports: the one thing that the tap has Twilio do, and only if it is told to."""

from __future__ import annotations

import itertools
import logging
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from tap_twilio.engine.days import days_between
from tap_twilio.engine.orders import MOST, NOTHING, SETTLED, Job, jobs_of, outlook, spans
from tap_twilio.http.errors import (
    AbsentError,
    LostError,
    RefusedError,
    ResponseError,
    TapError,
    from_response,
)
from tap_twilio.resource.resource import ACCOUNT
from tap_twilio.resource.windows import iso

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tap_twilio.config.settings import Orders
    from tap_twilio.engine.bookmarks import Bookmarks
    from tap_twilio.engine.days import Day
    from tap_twilio.engine.orders import Outlook
    from tap_twilio.engine.run import Run
    from tap_twilio.resource.resource import Node

logger = logging.getLogger("tap-twilio")

KIND: Final = "resource_type"
"""Name, in paths and contexts, of the kind of records."""


class Ordering:
    """Orders the days that lack a file.

    Attributes:
        jobs: The list of orders, which takes new ones, too.
    """

    def __init__(self, run: Run, bookmarks: Bookmarks, jobs: Node, wanted: Orders) -> None:
        """Order nothing yet."""
        self.jobs = jobs
        self._run = run
        self._bookmarks = bookmarks
        self._wanted = wanted
        self._listed: dict[tuple[str, str], list[Job]] = {}
        self._room = MOST
        self._is_over = False

    # --- What is ordered already ---------------------------------------------------------------

    def contexts(self, files: Iterable[Node], accounts: Iterable[str]) -> Iterator[dict[str, Any]]:
        """Give the lists of orders to look at: of the kinds and accounts to order for."""
        skips = self._run.skips
        for node, account in itertools.product(files, accounts):
            if (
                self._orders(node)
                and skips.is_open(node, account)
                and skips.may_read(self.jobs, account)
            ):
                yield {ACCOUNT: account, KIND: node.resource.exported}

    def note(self, context: Mapping[str, Any], rows: Iterable[Mapping[str, Any]]) -> None:
        """Take note of a list of orders.

        A job doesn't say when it was ordered, but the name that the tap gave it does.
        """
        jobs = self._listed[context[ACCOUNT], context[KIND]] = jobs_of(rows)
        self._room -= sum(len(job.days) for job in jobs if job.name == self._name)

    def _orders(self, node: Node) -> bool:
        if str(node.resource.exported).lower() not in self._wanted.kinds:
            return False
        if not self._bookmarks.keeps_days(node):
            node.warn_once("nothing is ordered, as this run keeps no days in its state")
            return False
        return True

    @property
    def _name(self) -> str:
        return f"tap-twilio {iso(self._run.clock.present)[:10]}"

    # --- What is missing -----------------------------------------------------------------------

    def order(self, node: Node, account: str, days: Iterable[Day]) -> Outlook:
        """Order the days of a kind and account that are missing, and tell how it stands with all.

        Args:
            days: Those that are listed.
        """
        jobs = self._listed.get((account, str(node.resource.exported)))
        if jobs is None:
            return NOTHING
        known = self._bookmarks.days_read(node, account).union(day.date for day in days)
        found = outlook(self._days(), known, jobs)
        room, ordered = max(0, self._room), 0
        for first, last in spans(found.missing[:room]):
            if not self._is_over and self._has_ordered(node, account, first, last):
                ordered += len(days_between(first, last))
        left = len(found.missing) - ordered
        if found.missing or found.waiting:
            node.logger.info(
                "%s: %d days ordered for %s, %d waiting%s%s",
                node.name,
                ordered,
                account,
                len(found.waiting),
                f", {left} left to order" if left else "",
                ": run again tomorrow" if len(found.missing) > room else "",
            )
        if found.failed:
            failed = ", ".join("/".join(dict.fromkeys(one)) for one in spans(sorted(found.failed)))
            error = TapError(
                f"Twilio could not make the files of {failed}. The tap orders them again once "
                "Twilio has forgotten the job, after 7 days"
            )
            self._run.skips.fail(node, account, error)
        return found

    def _days(self) -> frozenset[str]:
        """Give the days that are wanted, and that Twilio takes an order for by now."""
        newest = iso(self._run.clock.present - SETTLED)[:10]
        end = self._run.settings.end
        days = days_between(self._wanted.first, min(self._wanted.last or newest, newest))
        return days if end is None else frozenset(day for day in days if day < iso(end)[:10])

    # --- The order -----------------------------------------------------------------------------

    def _has_ordered(self, node: Node, account: str, first: str, last: str) -> bool:
        """Order some days; tell whether that is sure."""
        if not self._run.skips.may_read(self.jobs, account):
            return False
        try:
            self._post(account, str(node.resource.exported), first, last)
        except (RefusedError, AbsentError) as error:
            self._run.skips.skip(self.jobs, account, str(error))
            return False
        except TapError as error:
            self._is_over = True
            logger.warning("No more days are ordered in this run: %s. %s", error, _advice(error))
            return False
        self._room -= len(days_between(first, last))
        return True

    def _post(self, account: str, kind: str, first: str, last: str) -> None:
        run, jobs = self._run, self.jobs
        signature = run.skips.signature(jobs, account)
        if signature is None:
            msg = f"{jobs.name}: nothing at hand signs for {account}"
            raise TapError(msg)
        path = jobs.resource.path.format(**{KIND: kind})
        limiter = run.limiter(account)
        run.progress.count_request(jobs.name, again=False)
        with run.aside():
            limiter.enter()
            try:
                reply = run.transport.send(
                    "POST",
                    run.settings.hosts.url(jobs.resource.product) + path,
                    [("StartDay", first), ("EndDay", last), ("FriendlyName", self._name)],
                    endpoint=path,
                    auth=signature,
                )
            finally:
                limiter.leave()
        if reply.status not in {HTTPStatus.OK, HTTPStatus.CREATED}:
            raise from_response(path, reply.status, reply.body, reply.headers)


def _advice(error: TapError) -> str:
    """Say what comes next after an order that was not taken, as far as anybody knows."""
    if isinstance(error, LostError):
        return "It may have been taken; the next run looks"
    if isinstance(error, ResponseError) and error.status == HTTPStatus.BAD_REQUEST:
        return f"Twilio takes {MOST} a day of all accounts together, in UTC: run again tomorrow"
    return "The next run goes on"
