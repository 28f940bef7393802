"""Programmable Voice (``voice.twilio.com``): carriers of one's own, and who may be called."""

from __future__ import annotations

from tap_twilio.streams.accounts import AccountStream


class _Voice(AccountStream):
    product = "voice"
    selected_by_default = False


class VoiceByocTrunks(_Voice):
    """Trunks to a carrier of one's own."""

    name = "voice_byoc_trunks"
    path = "/v1/ByocTrunks"


class VoiceConnectionPolicies(_Voice):
    """How calls reach a carrier of one's own."""

    name = "voice_connection_policies"
    path = "/v1/ConnectionPolicies"


class VoiceConnectionPolicyTargets(_Voice):
    """SIP addresses of a connection policy, by priority and weight."""

    name = "voice_connection_policy_targets"
    parent_stream_type = VoiceConnectionPolicies
    path = "/v1/ConnectionPolicies/{connection_policy_sid}/Targets"


class VoiceDialingPermissionsCountries(_Voice):
    """Countries that an account may call, by risk."""

    name = "voice_dialing_permissions_countries"
    path = "/v1/DialingPermissions/Countries"
    primary_keys = ("account_sid", "iso_code")


class VoiceHighRiskSpecialPrefixes(_Voice):
    """Prefixes of a country's numbers that are open to fraud."""

    name = "voice_high_risk_special_prefixes"
    parent_stream_type = VoiceDialingPermissionsCountries
    parent_field = "iso_code"
    path = "/v1/DialingPermissions/Countries/{iso_code}/HighRiskSpecialPrefixes"
    primary_keys = ("account_sid", "iso_code", "prefix")


class VoiceIpRecords(_Voice):
    """IP addresses from which calls may come."""

    name = "voice_ip_records"
    path = "/v1/IpRecords"


class VoiceSourceIpMappings(_Voice):
    """SIP domains that calls from an IP address belong to."""

    name = "voice_source_ip_mappings"
    path = "/v1/SourceIpMappings"


class VoiceSettings(_Voice):
    """Whether an account takes over its parent's permissions to call."""

    name = "voice_settings"
    path = "/v1/Settings"
    primary_keys = ("account_sid",)
