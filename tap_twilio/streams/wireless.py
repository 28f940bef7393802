"""Programmable Wireless (``wireless.twilio.com``): the older SIMs for devices."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

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
    primary_keys = ()
    params: ClassVar[Mapping[str, str]] = {"Granularity": "daily"}


class WirelessSimUsageRecords(_Usage):
    """What one SIM used, by day, over the last month."""

    name = "wireless_sim_usage_records"
    parent_stream_type = WirelessSims
    path = "/v1/Sims/{sim_sid}/UsageRecords"


class WirelessUsageRecords(_Usage):
    """What all SIMs of an account used, by day, over the last month."""

    name = "wireless_usage_records"
    path = "/v1/UsageRecords"
