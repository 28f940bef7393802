"""Routes (``routes.twilio.com``): the region in which each number's calls are processed."""

from __future__ import annotations

from tap_twilio.streams.accounts import AccountStream
from tap_twilio.streams.api import IncomingPhoneNumbers, SipDomains
from tap_twilio.streams.trunking import TrunkingTrunks


class _Routes(AccountStream):
    product = "routes"
    selected_by_default = False


class RoutesPhoneNumbers(_Routes):
    """Region of a phone number's calls."""

    name = "routes_phone_numbers"
    parent_stream_type = IncomingPhoneNumbers
    parent_field = "phone_number"
    path = "/v2/PhoneNumbers/{phone_number}"


class RoutesSipDomains(_Routes):
    """Region of a SIP domain's calls."""

    name = "routes_sip_domains"
    parent_stream_type = SipDomains
    parent_field = "domain_name"
    path = "/v2/SipDomains/{sip_domain}"


class RoutesTrunks(_Routes):
    """Region of a SIP trunk's calls."""

    name = "routes_trunks"
    parent_stream_type = TrunkingTrunks
    parent_field = "domain_name"
    path = "/v2/Trunks/{sip_trunk_domain}"
