"""Accounts, the root of all streams: whoever can't be signed in for has no rows."""

from __future__ import annotations

from tap_twilio.streams.base import TwilioStream

API = "/2010-04-01/Accounts/{account_sid}"
"""Path of an account's resources in the 2010 API."""


class Accounts(TwilioStream):
    """The account that the credentials belong to, and its subaccounts."""

    name = "accounts"
    path = "/2010-04-01/Accounts.json"
    secret_fields = ("auth_token",)


class AccountStream(TwilioStream):
    """Base of the streams that every account has."""

    parent_stream_type: type[TwilioStream] | None = Accounts
