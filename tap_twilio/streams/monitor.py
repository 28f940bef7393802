"""Monitor (``monitor.twilio.com``): what went wrong, and who changed what."""

from __future__ import annotations

from datetime import timedelta

from tap_twilio.streams.accounts import AccountStream
from tap_twilio.windows import DateFilter


class Alerts(AccountStream):
    """Errors and warnings of the last 30 days."""

    name = "alerts"
    product = "monitor"
    path = "/v1/Alerts"
    replication_key = "date_generated"
    window = DateFilter(
        after="StartDate", before="EndDate", retention=timedelta(days=30), cap=10_000
    )
    lookback = timedelta(days=1)
