"""Programmable Wireless (``wireless.twilio.com``): the older SIMs for devices."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

from tap_twilio.resource.windows import DATE_TIME, DateFilter, Unit
from tap_twilio.streams.accounts import AccountStream

if TYPE_CHECKING:
    from collections.abc import Mapping


class _Wireless(AccountStream):
    product = "wireless"
    selected_by_default = False


class WirelessCommands(_Wireless):
    """Text messages to and from devices."""

    name = "wireless_commands"
    path = "/v1/Commands"


class WirelessRatePlans(_Wireless):
    """Plans that say what SIMs may use and at which price."""

    name = "wireless_rate_plans"
    path = "/v1/RatePlans"


class WirelessSims(_Wireless):
    """SIMs, with their plan and state."""

    name = "wireless_sims"
    path = "/v1/Sims"


class WirelessDataSessions(_Wireless):
    """Times for which a SIM was connected, where, and with how much data."""

    name = "wireless_data_sessions"
    parent_stream_type = WirelessSims
    path = "/v1/Sims/{sim_sid}/DataSessions"


class _Usage(_Wireless):
    replication_key = "period_start"
    promoted: ClassVar[Mapping[str, str]] = {
        "period_start": "period.start",
        "period_end": "period.end",
    }
    # Without a start Twilio goes back a month only. Bounds are moments, but whole days.
    window = DateFilter(
        after="Start",
        before="End",
        precision=Unit.DAY,
        wire=DATE_TIME,
        # 18 months, less what rounding to days and the margin may reach back.
        retention=timedelta(days=544),
        rooted=True,
    )
    lookback = timedelta(days=3)
    params: ClassVar[Mapping[str, str]] = {"Granularity": "daily"}


class WirelessSimUsageRecords(_Usage):
    """What one SIM used, by day, over the last 18 months."""

    name = "wireless_sim_usage_records"
    parent_stream_type = WirelessSims
    path = "/v1/Sims/{sim_sid}/UsageRecords"
    primary_keys = ("sim_sid", "period_start")


class WirelessUsageRecords(_Usage):
    """What all SIMs of an account used, by day, over the last 18 months."""

    name = "wireless_usage_records"
    path = "/v1/UsageRecords"
    primary_keys = ("account_sid", "period_start")
