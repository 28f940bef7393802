"""Lookup (``lookups.twilio.com``): how much may be looked up."""

from __future__ import annotations

from tap_twilio.streams.accounts import AccountStream


class LookupsRateLimits(AccountStream):
    """Limits on the look-ups of each kind of data about a phone number."""

    name = "lookups_rate_limits"
    product = "lookups"
    path = "/v2/RateLimits"
    primary_keys = ("account_sid", "field", "bucket")
    selected_by_default = False
