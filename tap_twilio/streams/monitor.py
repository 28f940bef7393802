"""Monitor (``monitor.twilio.com``): what went wrong, and who changed what."""

from __future__ import annotations

from datetime import timedelta

from tap_twilio.resource.windows import DateFilter
from tap_twilio.streams.accounts import AccountStream


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


class MonitorAlertDetails(AccountStream):
    """One alert in full: the request that failed and the answer to it."""

    name = "monitor_alert_details"
    product = "monitor"
    parent_stream_type = Alerts
    path = "/v1/Alerts/{sid}"
    selected_by_default = False


class MonitorEvents(AccountStream):
    """Changes to an account's resources, who made them and from where."""

    name = "monitor_events"
    product = "monitor"
    path = "/v1/Events"
    replication_key = "event_date"
    window = DateFilter(after="StartDate", before="EndDate")
    lookback = timedelta(days=1)
    selected_by_default = False


class MonitorAlarms(AccountStream):
    """Alarms that report when errors become too many."""

    name = "monitor_alarms"
    product = "monitor"
    path = "/v2/Alarms"
    primary_keys = ("alertConfigSid",)
    selected_by_default = False
