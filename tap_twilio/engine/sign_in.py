"""Signing in: whose rows the credentials can read."""

from __future__ import annotations

import itertools
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import backoff

from tap_twilio.config.checks import did_you_mean, short
from tap_twilio.config.credentials import ROOT_PRODUCT
from tap_twilio.engine.requests import Batch
from tap_twilio.http.errors import (
    RefusedError,
    ResponseError,
    SignInError,
    TapError,
    UnreachableError,
)
from tap_twilio.http.oauth import TokenRefusedError
from tap_twilio.http.pagination import FieldReader
from tap_twilio.http.redaction import redactor
from tap_twilio.http.retry import jittered
from tap_twilio.http.signatures import App

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_twilio.config.credentials import Credentials
    from tap_twilio.engine.decoder import Decoder
    from tap_twilio.engine.requests import Fetched
    from tap_twilio.engine.run import Run
    from tap_twilio.http.signatures import Signature

logger = logging.getLogger("tap-twilio")

Account = dict[str, Any]
"""A row of the list of accounts: ``{"sid": …, "friendly_name": …, "status": …}``."""

PROBES = ("Messages", "Calls", "IncomingPhoneNumbers", "Recordings", "Usage/Records", "Balance")
"""Resources to try, cheapest first, with a key that may not list accounts."""

GONE = frozenset({"closed", "suspended"})
"""Statuses of accounts of which Twilio may give nothing; history stays readable for a while."""

ENOUGH = 2
"""Refusals that count: a single one may be a mistake."""

PERMISSION_DENIED = 70051
"""Twilio's code for credentials that are right, but not allowed this."""


@dataclass(frozen=True)
class SignedIn:
    """Whose rows can be read.

    Attributes:
        records: The accounts as Twilio lists them, the configured one first; none with a key that
            may not list any.
        parents: The accounts to read: those, and those that only the settings know.
        refusal: Why Twilio did not list any.
    """

    records: list[Account]
    parents: list[Account]
    refusal: RefusedError | None = None


def ask(
    run: Run, product: str, path: str, account_sid: str, signature: Signature
) -> ResponseError | UnreachableError | None:
    """Ask for a row of a list once; tell what kept it away, none if it came."""
    try:
        with run.aside():
            run.transport.get(
                run.settings.hosts.url(product) + path,
                {"PageSize": "1"},
                endpoint=path,
                auth=signature,
                limiter=run.limiter(account_sid),
            )
    except (ResponseError, UnreachableError) as error:
        return error
    return None


_tokens = FieldReader("sid", "auth_token")


def learn(page: Fetched, decoder: Decoder, credentials: Credentials) -> None:
    """Keep the tokens in a page of accounts, which no record has, and mask them from then on."""
    columns, _ = decoder.read(page.rows, _tokens, Batch.of(page))
    for sid, token in zip(*columns, strict=True):
        if isinstance(token, str) and token:
            redactor.add(token)
            if isinstance(sid, str):
                redactor.add_signature(credentials.learn(sid, token))


class SignIn:
    """Finds out which accounts there are, and whose credentials work."""

    def __init__(self, run: Run) -> None:
        """Ask nothing yet."""
        self.run = run

    def __call__(self, listing: Iterable[list[Account]]) -> SignedIn:
        """Find out whose rows the credentials can read, by the list of accounts, page by page.

        Raises:
            SignInError: Twilio refused the credentials.
            TapError: Twilio can't be reached, or the setting ``accounts`` names none.
        """
        settings = self.run.settings
        if isinstance(settings.signature, App):
            logger.info("Signing in as the OAuth app %s", settings.signature.username)
        records: list[Account] = []
        try:
            for page in listing:
                records += page
        except RefusedError as refusal:
            self._probe(refusal)
            sids = [name for name in settings.accounts if name.startswith("AC")]
            sids = sids or [settings.account_sid, *self._further([])]
            logger.info("The credentials may not list accounts. The tap reads %s", ", ".join(sids))
            found = SignedIn([], [{"sid": sid} for sid in sids], refusal)
        else:
            further = self._further(records)
            records = self._chosen(records, further)
            found = SignedIn(records, [*records, *({"sid": sid} for sid in further)])
        self._knock([record for record in found.records if record.get("status") in GONE])
        self._check_given(found.parents)
        return found

    def _chosen(self, found: list[Account], further: list[str]) -> list[Account]:
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

    def _probe(self, refusal: RefusedError) -> None:
        """Tell a key that may not list accounts from credentials that are wrong."""
        if refusal.code == PERMISSION_DENIED:
            return
        settings = self.run.settings
        is_app = isinstance(settings.signature, App)
        has_token = not isinstance(refusal, TokenRefusedError)
        if has_token and self._is_accepted(settings.account_sid, settings.signature):
            return
        user = str(settings.signature.username)
        pair = "client_id and client_secret" if is_app else "api_key_sid and api_key_secret"
        what = "auth_token" if user == settings.account_sid else pair
        msg = (
            f"Twilio refused to sign in {user} for account {settings.account_sid} ({refusal}). "
            f"Check account_sid, {what}, and that they belong to "
            f"{'region ' + settings.hosts.region if settings.hosts.region else 'region us1'}"
        )
        raise SignInError(msg) from refusal

    def _is_accepted(self, account_sid: str, signature: Signature) -> bool:
        """Tell whether a signature is good for an account, if not for all of its resources."""
        for resource in PROBES:
            error = self._ask(resource, account_sid, signature)
            if not isinstance(error, RefusedError) or error.code == PERMISSION_DENIED:
                # Any other failure comes again later, where it can be waited out.
                return True
        return False

    def _ask(
        self, resource: str, account_sid: str, signature: Signature
    ) -> ResponseError | UnreachableError | None:
        """Ask for a row of a resource; tell what kept it away."""
        path = f"/2010-04-01/Accounts/{account_sid}/{resource}.json"
        return ask(self.run, ROOT_PRODUCT, path, account_sid, signature)

    def _knock(self, accounts: list[Account]) -> None:
        """Leave out accounts that are not in use and of which Twilio gives nothing any more."""
        workers = self.run.settings.max_concurrent_requests
        with ThreadPoolExecutor(workers) as pool:
            sids = [account["sid"] for account in accounts]
            for account, refusal in zip(accounts, pool.map(self._refusal, sids), strict=True):
                if refusal is not None:
                    self.run.skips.shut_out(
                        account["sid"],
                        f"the account is {account['status']}, and Twilio refused it ({refusal})",
                    )

    def _refusal(self, account_sid: str) -> RefusedError | None:
        """Tell how Twilio refuses an account; a single refusal may be a mistake."""
        signature = (
            self.run.skips.credentials.sign(ROOT_PRODUCT, account_sid)
            or self.run.settings.signature
        )
        error = self._ask(PROBES[0], account_sid, signature)
        if isinstance(error, RefusedError):
            error = self._ask(PROBES[0], account_sid, signature)
        if isinstance(error, RefusedError) and error.code != PERMISSION_DENIED:
            return error
        return None

    def _further(self, found: list[Account]) -> list[str]:
        """Name the accounts that only the settings know."""
        settings, known = self.run.settings, {record["sid"] for record in found}
        return [
            sid
            for sid in settings.subaccount_signatures
            if sid not in known
            and settings.include_subaccounts
            and (not settings.accounts or sid in settings.accounts)
        ]

    def _check_given(self, accounts: list[Account]) -> None:
        """Leave out accounts whose credentials in the settings are wrong, or not their own."""
        settings = self.run.settings
        given = [
            account["sid"]
            for account in accounts
            if account["sid"] in settings.subaccount_signatures
            and not self.run.skips.is_shut(account["sid"])
        ]
        with ThreadPoolExecutor(settings.max_concurrent_requests) as pool:
            for sid, doubt in zip(given, pool.map(self._doubt, given), strict=True):
                if doubt is not None:
                    self.run.skips.refuse(sid, f"{doubt}: its streams are skipped. Give its own")

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
        # The first value only starts the generator.
        tries = itertools.islice(waits, 1, 1 + settings.max_retries)
        while refusals < ENOUGH:
            error = self._ask(PROBES[0], settings.account_sid, signature)
            if error is None:
                return f"{key} reads {settings.account_sid}"
            if isinstance(error, RefusedError):
                refusals += 1
            elif (wait := next(tries, None)) is not None:
                time.sleep(jittered(wait))
            else:
                return f"{key} may be that of {settings.account_sid}: nobody could tell ({error})"
        return None
