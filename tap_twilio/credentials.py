"""Who signs which request."""

from __future__ import annotations

from dataclasses import dataclass, field

from requests.auth import HTTPBasicAuth

ROOT_PRODUCT = "api"
"""The one product whose paths name the account, so that a parent may read its subaccounts."""


@dataclass
class Credentials:
    """The signatures of the configured account and of its subaccounts.

    Tokens of subaccounts come from the accounts list and are held in memory only.

    Attributes:
        account_sid: The configured account.
        main: How the configured account signs.
        own: How other accounts sign for themselves, by their SID.
    """

    account_sid: str
    main: HTTPBasicAuth
    own: dict[str, HTTPBasicAuth] = field(default_factory=dict)

    def learn(self, account_sid: str, auth_token: str) -> None:
        """Keep a subaccount's token, as the accounts list gives it.

        Args:
            account_sid: The subaccount.
            auth_token: Its token.
        """
        if account_sid != self.account_sid:
            self.own.setdefault(account_sid, HTTPBasicAuth(account_sid, auth_token))

    def sign(self, product: str, account_sid: str | None) -> HTTPBasicAuth | None:
        """Choose the signature for a request.

        Args:
            product: First label of the product's host.
            account_sid: The account whose rows are wanted; none for the list of accounts.

        Returns:
            The signature, or none where nothing at hand can read that account's rows: on every
            host but the 2010 API's, the signature alone says whose rows come back.
        """
        if account_sid is None or account_sid == self.account_sid:
            return self.main
        if product == ROOT_PRODUCT:
            return self.main
        return self.own.get(account_sid)
