"""Who signs which request."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from requests.auth import HTTPBasicAuth

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT_PRODUCT = "api"
"""The one product whose paths name the account, so that a parent may read its subaccounts."""


@dataclass
class Credentials:
    """The signatures of the configured account and of its subaccounts.

    Tokens of subaccounts come from the accounts list and are held in memory only.

    Attributes:
        account_sid: The configured account.
        main: How the configured account signs.
        given: How other accounts sign for themselves, by their SID, as the settings say.
        listed: How others do so by the tokens of the accounts list.
        refused: Accounts whose own credentials Twilio refused.
    """

    account_sid: str
    main: HTTPBasicAuth = field(repr=False)
    given: Mapping[str, HTTPBasicAuth] = field(default_factory=dict, repr=False)
    listed: dict[str, HTTPBasicAuth] = field(default_factory=dict, repr=False)
    refused: set[str] = field(default_factory=set)

    def learn(self, account_sid: str, auth_token: str) -> HTTPBasicAuth:
        """Keep a subaccount's token from the accounts list; give how the account signs with it."""
        signature = HTTPBasicAuth(account_sid, auth_token)
        if account_sid != self.account_sid:
            self.listed.setdefault(account_sid, signature)
        return signature

    def signs_by_list(self, account_sid: str) -> bool:
        """Tell whether, outside the 2010 API, an account signs with its listed token."""
        return account_sid in self.listed and account_sid not in self.given

    def sign(self, product: str, account_sid: str | None) -> HTTPBasicAuth | None:
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
        return given or self.listed.get(account_sid)
