"""Accounts, the root of all streams: whoever can't be signed in for has no rows."""

from __future__ import annotations

import itertools
import time
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

import backoff
from typing_extensions import override

from tap_twilio.config.settings import did_you_mean, short
from tap_twilio.http.errors import (
    RefusedError,
    ResponseError,
    SignInError,
    Stopped,
    TapError,
    UnreachableError,
)
from tap_twilio.http.redaction import redactor
from tap_twilio.pages import Page, Request
from tap_twilio.stream import TwilioStream

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from requests.auth import HTTPBasicAuth
    from singer_sdk.helpers.types import Context

    from tap_twilio.ahead import Order
    from tap_twilio.records.convert import Record

ACCOUNT = "/2010-04-01/Accounts/{account_sid}"

PROBES = ("Messages", "Calls", "IncomingPhoneNumbers", "Recordings", "Usage/Records", "Balance")
"""What to try, cheapest first, with a key that may not list accounts."""

GONE = frozenset({"closed", "suspended"})
"""Statuses of accounts of which Twilio may give nothing; history stays readable for a while."""

ENOUGH = 2
"""Refusals that count: a single one may be a mistake."""

PERMISSION_DENIED = 70051
"""Twilio's code for credentials that are right, but not allowed this."""


class Accounts(TwilioStream):
    """The account that the credentials belong to, and its subaccounts."""

    name = "accounts"
    path = "/2010-04-01/Accounts.json"
    secret_fields = ("auth_token",)

    @override
    def arrived(self, page: Page) -> list[Iterator[Request]]:
        self.decode(page)
        for record in page.records:
            sid, token = record.get("sid"), record.get("auth_token")
            if isinstance(token, str) and token:
                redactor.add(token)
                if isinstance(sid, str):
                    redactor.add_signature(self.run.credentials.learn(sid, token))
        # What is below is announced once all accounts are known: the settings may leave some out.
        self.converter.convert(page.records)
        page.following = page.request.after(page)
        return [] if page.following is None else [iter([page.following])]

    def sign_in(self) -> Page:
        """Find out whose rows the credentials can read.

        Returns:
            The accounts to read, as one page, the configured one first. With a key that may not
            list accounts, no record, but the configured account as a parent.

        Raises:
            SignInError: Twilio refused the credentials.
            TapError: Twilio can't be reached, or the setting ``accounts`` names none.
        """
        settings = self.run.settings
        page = Page(None, 0, 0, None, None, Request(self, {}, (), {}))
        try:
            for listed in super().pages({}, self.run.ahead.begin()):
                self.leave_out_keyless(listed)
                page.records += listed.records
        except RefusedError as refusal:
            self._probe(refusal)
            sids = [name for name in settings.accounts if name.startswith("AC")]
            sids = sids or [settings.account_sid, *self._further([])]
            self.logger.info("The credentials may not list accounts: reading %s", ", ".join(sids))
            page.parents = [{"sid": sid} for sid in sids]
        else:
            further = self._further(page.records)
            page.records = self._chosen(page.records, further)
            if further:
                page.parents = [*page.records, *({"sid": sid} for sid in further)]
        self._knock([record for record in page.records if record.get("status") in GONE])
        self._check_given(page.parents or page.records)
        self._probe_refused(page.parents or page.records)
        page.request.order = (*self.run.ahead.begin(), 0)
        return page

    def _probe(self, refusal: RefusedError) -> None:
        """Tell a key that may not list accounts from credentials that are wrong."""
        if refusal.code == PERMISSION_DENIED:
            return
        settings = self.run.settings
        if self._is_accepted(settings.account_sid, settings.signature):
            return
        user = str(settings.signature.username)
        what = "auth_token" if user == settings.account_sid else "api_key_sid and api_key_secret"
        msg = (
            f"Twilio refused to sign in {user} for account {settings.account_sid} ({refusal}). "
            f"Check account_sid, {what}, and that they belong to "
            f"{'region ' + settings.hosts.region if settings.hosts.region else 'region us1'}"
        )
        raise SignInError(msg) from refusal

    def _is_accepted(self, account_sid: str, signature: HTTPBasicAuth) -> bool:
        """Tell whether a signature is good for an account, if not for all of its resources."""
        for resource in PROBES:
            error = self._ask(resource, account_sid, signature)
            if not isinstance(error, RefusedError) or error.code == PERMISSION_DENIED:
                # What failed for another reason fails again where it can be waited out.
                return True
        return False

    def _ask(
        self, resource: str, account_sid: str, signature: HTTPBasicAuth
    ) -> ResponseError | UnreachableError | None:
        """Ask for a row of a resource; tell what kept it away."""
        path = f"/2010-04-01/Accounts/{account_sid}/{resource}.json"
        try:
            with self.run.aside():
                self.run.transport.get(
                    self.run.settings.hosts.url(self.product) + path,
                    {"PageSize": "1"},
                    endpoint=path,
                    auth=signature,
                    limiter=self.run.limiter(account_sid),
                )
        except (ResponseError, UnreachableError) as error:
            return error
        return None

    def _knock(self, accounts: list[Record]) -> None:
        """Leave out accounts that are not in use and of which Twilio gives nothing any more."""
        workers = self.run.settings.max_concurrent_requests
        with ThreadPoolExecutor(workers) as pool:
            sids = [account["sid"] for account in accounts]
            for account, refusal in zip(accounts, pool.map(self._refusal, sids), strict=True):
                if refusal is not None:
                    self.run.shut_out(
                        account["sid"],
                        f"the account is {account['status']}, and Twilio refused it ({refusal})",
                    )

    def _refusal(self, account_sid: str) -> RefusedError | None:
        """Tell how Twilio refuses an account; a single refusal may be a mistake."""
        signature = self.signature(account_sid) or self.run.settings.signature
        error = self._ask(PROBES[0], account_sid, signature)
        if isinstance(error, RefusedError):
            error = self._ask(PROBES[0], account_sid, signature)
        if isinstance(error, RefusedError) and error.code != PERMISSION_DENIED:
            return error
        return None

    def _further(self, found: list[Record]) -> list[str]:
        """Name the accounts that only the settings know."""
        settings, known = self.run.settings, {record["sid"] for record in found}
        return [
            sid
            for sid in settings.subaccount_signatures
            if sid not in known
            and settings.include_subaccounts
            and (not settings.accounts or sid in settings.accounts)
        ]

    def _check_given(self, accounts: list[Record]) -> None:
        """Leave out accounts whose credentials in the settings are wrong, or not their own."""
        settings = self.run.settings
        given = [
            account["sid"]
            for account in accounts
            if account["sid"] in settings.subaccount_signatures.keys() - self.run.shut
        ]
        with ThreadPoolExecutor(settings.max_concurrent_requests) as pool:
            for sid, doubt in zip(given, pool.map(self._doubt, given), strict=True):
                if doubt is not None:
                    self.run.refuse(sid, f"{doubt}: its streams are skipped. Give its own")

    def _doubt(self, sid: str) -> str | None:
        """Tell what is wrong with the credentials that the settings have for a subaccount."""
        settings = self.run.settings
        signature = settings.subaccount_signatures[sid]
        if not self._is_accepted(sid, signature):
            return (
                "Twilio refused the credentials that subaccount_credentials has for it, which may "
                "be of another region"
            )
        if signature.username == sid:
            return None
        # A key doesn't say whose it is. One of the parent's may read the subaccount in the 2010
        # API, and would give the parent's rows everywhere else.
        key, refusals = "the API key that subaccount_credentials has for it", 0
        waits = backoff.expo(factor=settings.retry_delay, max_value=8)
        # The first one only starts it.
        tries = itertools.islice(waits, 1, 1 + settings.max_retries)
        while refusals < ENOUGH:
            error = self._ask(PROBES[0], settings.account_sid, signature)
            if error is None:
                return f"{key} reads {settings.account_sid}"
            if isinstance(error, RefusedError):
                refusals += 1
            elif (wait := next(tries, None)) is not None:
                time.sleep(self.backoff_jitter(wait))
            else:
                return f"{key} may be that of {settings.account_sid}: nobody could tell ({error})"
        return None

    def _probe_refused(self, accounts: list[Record]) -> None:
        """Find out which streams that were refused in an earlier run may be read by now.

        Those that still are, are left out before anything is read for their sake.
        """
        sids = {account["sid"] for account in accounts}
        refused = [
            (cast("TwilioStream", stream), context)
            for stream in self.descendants
            for context in stream.refusals()
            if context["account_sid"] in sids and stream.may_read(context["account_sid"])
        ]
        order = self.run.ahead.begin()
        probes = [
            stream.probe(context, (*order, number))
            for number, (stream, context) in enumerate(refused)
        ]
        self.run.ahead.hint(iter(probes))
        for probe in probes:
            cast("TwilioStream", probe.stream).take_probe(probe)

    def _chosen(self, found: list[Record], further: list[str]) -> list[Record]:
        settings = self.run.settings
        found.sort(key=lambda record: record["sid"] != settings.account_sid)
        wanted = settings.accounts
        for name in wanted:
            names = {record.get(key) for record in found for key in ("sid", "friendly_name")}
            if name not in names and name not in further:
                known = [str(known) for known in names if known]
                msg = f"accounts: no account is called {name!r}; {did_you_mean(name, known)}"
                raise TapError(short(msg))
        if wanted:
            return [
                record
                for record in found
                if record["sid"] in wanted or record.get("friendly_name") in wanted
            ]
        if not settings.include_subaccounts:
            return [record for record in found if record["sid"] == settings.account_sid]
        return found

    @override
    def pages(self, context: dict[str, Any], order: Order) -> Iterator[Page]:
        page = self.sign_in()
        if self.children:
            self.run.ahead.hint(self._requests_below(page))
            self.run.ahead.hint(self._searches_below(page))
        yield page

    @override
    def walk(self, context: dict[str, Any], order: Order) -> Iterator[tuple[TwilioStream, Page]]:
        try:
            # What goes wrong here leaves nothing to read: it ends the run.
            for page in self.pages(context, order):
                yield from self.walk_page(page)
        finally:
            self.run.ahead.close()

    @override
    def _sync_records(
        self, context: Context | None = None, *, write_messages: bool = True
    ) -> Generator[Record, Any, Any]:
        """Read everything that is selected: all other streams are below this one."""
        self.run.emits = write_messages
        below = cast("list[TwilioStream]", self.descendent_streams)
        selected = [each for each in (self, *below) if each.selected]
        for stream in selected if write_messages else ():
            stream._write_schema_message()  # noqa: SLF001
            stream.begin()
        try:
            for stream, page in self.walk(dict(context or {}), self.run.ahead.begin()):
                if stream.selected and write_messages:
                    stream.write(page.records)
                if stream is self and self.selected:
                    yield from page.records
        except Stopped:
            self._tap.tell()
            raise
        for stream in selected if write_messages else ():
            stream.activate_version()
        if write_messages:
            self._tap.write_last_state()
        self._tap.tell()
        self.run.check_complete()


class AccountStream(TwilioStream):
    """Base of the streams that every account has."""

    parent_stream_type: type[TwilioStream] | None = Accounts

    @cached_property
    @override
    def placeholder(self) -> str:
        # Paths of the product APIs don't name the account: the signature decides it.
        return "account_sid" if self.parent_stream_type is Accounts else super().placeholder
