"""Base of the streams that every account has."""

from __future__ import annotations

from functools import cached_property

from typing_extensions import override

from tap_twilio.stream import TwilioStream
from tap_twilio.streams.accounts import Accounts

API = "/2010-04-01/Accounts/{account_sid}"
"""Path of an account's resources in the 2010 API."""


class AccountStream(TwilioStream):
    """Base of the streams that every account has."""

    parent_stream_type: type[TwilioStream] | None = Accounts

    @cached_property
    @override
    def placeholder(self) -> str:
        # Paths of the product APIs don't name the account: the signature decides it.
        return "account_sid" if self.parent_stream_type is Accounts else super().placeholder
