"""The conductor of a run: accounts first, then all that is below them, as messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from tap_twilio.engine.sign_in import SignedIn, SignIn
from tap_twilio.http.errors import Stopped
from tap_twilio.pages import Page, Request

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_twilio.records.convert import Record
    from tap_twilio.run import Run
    from tap_twilio.stream import TwilioStream
    from tap_twilio.tap import TapTwilio


class Sync:
    """Reads everything that is selected: all other streams are below that of accounts."""

    def __init__(self, tap: TapTwilio, accounts: TwilioStream) -> None:
        """Ask nothing yet.

        Args:
            tap: The tap, which writes states.
            accounts: The stream that all others are below.
        """
        self._tap = tap
        self._accounts = accounts
        self._run: Run = tap.run

    def sign_in(self) -> SignedIn:
        """Find out whose rows the credentials can read, and read nothing.

        Returns:
            The accounts.

        Raises:
            SignInError: Twilio refused the credentials.
            TapError: Twilio can't be reached, or the setting ``accounts`` names none.
        """
        try:
            return self._sign_in()
        finally:
            self._run.ahead.close()

    def _sign_in(self) -> SignedIn:
        found = SignIn(self._run)(self._listing())
        self._probe_refused(found)
        return found

    def _listing(self) -> Iterator[list[Record]]:
        for page in self._accounts.pages({}, self._run.ahead.begin()):
            self._accounts.leave_out_keyless(page)
            yield page.records

    def _probe_refused(self, found: SignedIn) -> None:
        """Find out which streams that were refused in an earlier run may be read by now.

        Those that still are, are left out before anything is read for their sake.
        """
        sids = {account["sid"] for account in found.parents}
        refused = [
            (cast("TwilioStream", stream), context)
            for stream in self._accounts.descendants
            for context in stream.refusals()
            if context["account_sid"] in sids and stream.may_read(context["account_sid"])
        ]
        order = self._run.ahead.begin()
        probes = [
            stream.probe(context, (*order, number))
            for number, (stream, context) in enumerate(refused)
        ]
        self._run.ahead.hint(iter(probes))
        for probe in probes:
            cast("TwilioStream", probe.stream).take_probe(probe)

    def accounts(self) -> list[str]:
        """Find out which accounts have rows to be read.

        Returns:
            Their SIDs.
        """
        below = self._accounts.below(self._page_of(self.sign_in()))
        return list(dict.fromkeys(child.context["account_sid"] for child in below))

    def _page_of(self, found: SignedIn) -> Page:
        """Give the accounts as one page of their stream."""
        request = Request(self._accounts, {}, (*self._run.ahead.begin(), 0), {})
        page = Page(None, 0, 0, None, None, request, records=found.records)
        if found.parents != found.records:
            page.parents = found.parents
        return page

    def walk(self) -> Iterator[tuple[TwilioStream, Page]]:
        """Read accounts, and the streams below them.

        Yields:
            Each page with its stream, a parent's before those of its children. A page is done
            with when the next is asked for: then bookmarks may move past it.
        """
        accounts = self._accounts
        try:
            # What goes wrong here leaves nothing to read: it ends the run.
            page = self._page_of(self._sign_in())
            if accounts.children:
                self._run.ahead.hint(accounts.requests_below(page))
                self._run.ahead.hint(accounts.searches_below(page))
            yield from accounts.walk_page(page)
        finally:
            self._run.ahead.close()

    def write(self) -> Iterator[Record]:
        """Read everything, and write it as messages.

        Yields:
            Records of accounts, once they are written.

        Raises:
            IncompleteError: Something could not be read to its end.
            Stopped: A signal asked the run to end.
        """
        self._run.emits = True
        selected = [each for each in self._all() if each.selected]
        for stream in selected:
            stream.begin()
        try:
            for stream, page in self.walk():
                if stream.selected:
                    stream.write(page.records)
                if stream is self._accounts and stream.selected:
                    yield from page.records
        except Stopped:
            self._tap.tell()
            raise
        for stream in selected:
            stream.activate_version()
        self._tap.write_last_state()
        self._tap.tell()
        self._run.check_complete()

    def _all(self) -> list[TwilioStream]:
        return [self._accounts, *cast("list[TwilioStream]", self._accounts.descendent_streams)]
