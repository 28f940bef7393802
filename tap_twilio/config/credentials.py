"""Who signs which request."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from requests.auth import HTTPBasicAuth

from tap_twilio.http.signatures import App

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_twilio.http.signatures import Signature

ROOT_PRODUCT = "api"
"""The one product whose paths name the account, so that a parent may read its subaccounts."""


@dataclass
class Credentials:
    """The signatures of the configured account and of its subaccounts.

    Tokens of subaccounts come from the accounts list and are held in memory only. An OAuth app
    asks for tokens on behalf of subaccounts instead.

    Attributes:
        account_sid: The configured account.
        main: How the configured account signs.
        given: How other accounts sign for themselves, by their SID, as the settings say.
        listed: How others do so by the tokens of the accounts list.
        refused: Accounts whose own credentials Twilio refused.
    """

    account_sid: str
    main: Signature = field(repr=False)
    given: Mapping[str, Signature] = field(default_factory=dict, repr=False)
    listed: dict[str, Signature] = field(default_factory=dict, repr=False)
    refused: set[str] = field(default_factory=set)

    def learn(self, account_sid: str, auth_token: str) -> HTTPBasicAuth:
        """Keep an account's token from the accounts list; give how the account signs with it."""
        signature = HTTPBasicAuth(account_sid, auth_token)
        self.listed.setdefault(account_sid, signature)
        return signature

    def signs_by_itself(self, account_sid: str) -> bool:
        """Tell whether a subaccount signs, outside the 2010 API, with what no setting gives it."""
        return account_sid not in self.given and self._own(account_sid) is not None

    def sign(self, product: str, account_sid: str | None) -> Signature | None:
        """Choose the signature for a request; none where nothing at hand reads the account's rows.

        On every host but the 2010 API's, the signature alone says whose rows come back. Credentials
        from the settings sign everywhere, as an API key may not read subaccounts.

        Args:
            product: First label of the product's host.
            account_sid: The account whose rows are wanted; none for the list of accounts.
        """
        if account_sid is None or account_sid == self.account_sid:
            return self.main
        given = self.given.get(account_sid)
        if given is None and product == ROOT_PRODUCT:
            return self.main
        if account_sid in self.refused:
            return None
        return given or self._own(account_sid)

    def _own(self, account_sid: str) -> Signature | None:
        """Give how a subaccount signs with what Twilio gives it: a token, of the one or other kind.

        The listed one may do more than its owner wants an app to do.
        """
        if account_sid == self.account_sid:
            return None
        if isinstance(self.main, App):
            return self.main.on_behalf_of(account_sid)
        return self.listed.get(account_sid)
