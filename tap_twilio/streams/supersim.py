"""Super SIM (``supersim.twilio.com``): mobile data for devices, across networks."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

from tap_twilio.resource.windows import DATE_TIME, DateFilter, Unit
from tap_twilio.streams.accounts import AccountStream

if TYPE_CHECKING:
    from collections.abc import Mapping


class _SuperSim(AccountStream):
    product = "supersim"
    selected_by_default = False


class SuperSimEsimProfiles(_SuperSim):
    """Profiles to download to devices in place of a card."""

    name = "supersim_esim_profiles"
    path = "/v1/ESimProfiles"


class SuperSimFleets(_SuperSim):
    """Fleets: SIMs with common settings and limits."""

    name = "supersim_fleets"
    path = "/v1/Fleets"


class SuperSimIpCommands(_SuperSim):
    """IP messages to and from devices."""

    name = "supersim_ip_commands"
    path = "/v1/IpCommands"


class SuperSimNetworkAccessProfiles(_SuperSim):
    """Sets of networks that fleets may use."""

    name = "supersim_network_access_profiles"
    path = "/v1/NetworkAccessProfiles"


class SuperSimNetworkAccessProfileNetworks(_SuperSim):
    """Networks in a network access profile."""

    name = "supersim_network_access_profile_networks"
    parent_stream_type = SuperSimNetworkAccessProfiles
    path = "/v1/NetworkAccessProfiles/{network_access_profile_sid}/Networks"
    primary_keys = ("network_access_profile_sid", "sid")


class SuperSimNetworks(_SuperSim):
    """Mobile networks that SIMs can connect to."""

    name = "supersim_networks"
    path = "/v1/Networks"
    primary_keys = ("account_sid", "sid")


class SuperSimSettingsUpdates(_SuperSim):
    """Updates of the settings on a SIM."""

    name = "supersim_settings_updates"
    path = "/v1/SettingsUpdates"


class SuperSimSims(_SuperSim):
    """SIMs, with their fleet and state."""

    name = "supersim_sims"
    path = "/v1/Sims"


class SuperSimBillingPeriods(_SuperSim):
    """Months for which a SIM is charged."""

    name = "supersim_billing_periods"
    parent_stream_type = SuperSimSims
    path = "/v1/Sims/{sim_sid}/BillingPeriods"


class SuperSimIpAddresses(_SuperSim):
    """IP addresses of a SIM."""

    name = "supersim_ip_addresses"
    parent_stream_type = SuperSimSims
    path = "/v1/Sims/{sim_sid}/IpAddresses"
    primary_keys = ("sim_sid", "ip_address")


class SuperSimSmsCommands(_SuperSim):
    """Text messages to and from devices."""

    name = "supersim_sms_commands"
    path = "/v1/SmsCommands"


class SuperSimUsageRecords(_SuperSim):
    """Data that each SIM used, by day, over the last 18 months."""

    name = "supersim_usage_records"
    path = "/v1/UsageRecords"
    primary_keys = ("account_sid", "sim_sid", "period_start")
    # Usage that Twilio gives for no SIM is one row a period.
    stand_ins: ClassVar[Mapping[str, str | int]] = {"sim_sid": ""}
    replication_key = "period_start"
    promoted: ClassVar[Mapping[str, str]] = {
        "period_start": "period.start_time",
        "period_end": "period.end_time",
    }
    # Without a start Twilio goes back a month only. Bounds are moments, but whole days.
    window = DateFilter(
        after="StartTime",
        before="EndTime",
        precision=Unit.DAY,
        wire=DATE_TIME,
        # 18 months, less what rounding to days and the margin may reach back.
        retention=timedelta(days=544),
        rooted=True,
    )
    lookback = timedelta(days=3)
    params: ClassVar[Mapping[str, str]] = {"Granularity": "day", "Group": "sim"}
