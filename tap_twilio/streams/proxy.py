"""Proxy (``proxy.twilio.com``): conversations behind masked numbers."""

from __future__ import annotations

from tap_twilio.streams.accounts import AccountStream


class _Proxy(AccountStream):
    product = "proxy"
    selected_by_default = False


class ProxyServices(_Proxy):
    """Services: sessions with common settings and numbers."""

    name = "proxy_services"
    path = "/v1/Services"


class ProxyPhoneNumbers(_Proxy):
    """Phone numbers that a service masks with."""

    name = "proxy_phone_numbers"
    parent_stream_type = ProxyServices
    path = "/v1/Services/{service_sid}/PhoneNumbers"
    primary_keys = ("service_sid", "sid")


class ProxySessions(_Proxy):
    """Sessions: two participants who reach each other without knowing their numbers."""

    name = "proxy_sessions"
    parent_stream_type = ProxyServices
    path = "/v1/Services/{service_sid}/Sessions"


class ProxyInteractions(_Proxy):
    """Calls and messages between a session's participants."""

    name = "proxy_interactions"
    parent_stream_type = ProxySessions
    path = "/v1/Services/{service_sid}/Sessions/{session_sid}/Interactions"


class ProxyParticipants(_Proxy):
    """Participants of a session."""

    name = "proxy_participants"
    parent_stream_type = ProxySessions
    path = "/v1/Services/{service_sid}/Sessions/{session_sid}/Participants"


class ProxyMessageInteractions(_Proxy):
    """Messages that the session's owner sent to a participant."""

    name = "proxy_message_interactions"
    parent_stream_type = ProxyParticipants
    path = (
        "/v1/Services/{service_sid}/Sessions/{session_sid}"
        "/Participants/{participant_sid}/MessageInteractions"
    )
