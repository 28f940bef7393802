"""Elastic SIP Trunking (``trunking.twilio.com``): trunks to one's own telephone system."""

from __future__ import annotations

from tap_twilio.streams.accounts import AccountStream


class _Trunking(AccountStream):
    product = "trunking"
    selected_by_default = False


class TrunkingTrunks(_Trunking):
    """SIP trunks."""

    name = "trunking_trunks"
    path = "/v1/Trunks"
    selected_by_default = True


class _OfTrunk(_Trunking):
    parent_stream_type = TrunkingTrunks
    # What is attached to a trunk keeps its own SID, and may be attached to others.
    primary_keys = ("trunk_sid", "sid")


class TrunkingCredentialLists(_OfTrunk):
    """Lists of credentials that may call out over a trunk."""

    name = "trunking_credential_lists"
    path = "/v1/Trunks/{trunk_sid}/CredentialLists"


class TrunkingIpAccessControlLists(_OfTrunk):
    """Lists of IP addresses that may call out over a trunk."""

    name = "trunking_ip_access_control_lists"
    path = "/v1/Trunks/{trunk_sid}/IpAccessControlLists"


class TrunkingOriginationUrls(_OfTrunk):
    """SIP addresses to which a trunk's incoming calls go."""

    name = "trunking_origination_urls"
    path = "/v1/Trunks/{trunk_sid}/OriginationUrls"


class TrunkingPhoneNumbers(_OfTrunk):
    """Phone numbers of a trunk."""

    name = "trunking_phone_numbers"
    path = "/v1/Trunks/{trunk_sid}/PhoneNumbers"


class TrunkingRecordingSettings(_Trunking):
    """Which of a trunk's calls are recorded, and how."""

    name = "trunking_recording_settings"
    parent_stream_type = TrunkingTrunks
    path = "/v1/Trunks/{trunk_sid}/Recording"
    primary_keys = ("trunk_sid",)
