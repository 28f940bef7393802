"""How requests are signed: by a user and a password, or by tokens that an OAuth app is given."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from requests.auth import HTTPBasicAuth


@dataclass(frozen=True)
class App:
    """An OAuth app by its client credentials, for which Twilio gives tokens.

    Attributes:
        username: Its ``client_id``; named as those of other signatures are.
        password: Its ``client_secret``.
        url: Where tokens are given.
        account_sid: The account on whose behalf; none for the app's own.
    """

    username: str
    password: str = field(repr=False)
    url: str
    account_sid: str | None = None

    def on_behalf_of(self, account_sid: str) -> App:
        """Give the same app, with tokens for a subaccount."""
        return replace(self, account_sid=account_sid)


Signature = HTTPBasicAuth | App
"""How an account signs."""
