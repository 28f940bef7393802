"""Messaging (``messaging.twilio.com``): services, senders and their registration."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from tap_twilio.streams.accounts import AccountStream

if TYPE_CHECKING:
    from collections.abc import Mapping


class _Messaging(AccountStream):
    product = "messaging"
    selected_by_default = False


# --- Services and their senders ----------------------------------------------------------------


class MessagingServices(_Messaging):
    """Messaging services: pools of senders with common settings."""

    name = "messaging_services"
    path = "/v1/Services"
    selected_by_default = True


class MessagingAlphaSenders(_Messaging):
    """Names instead of numbers from which a service sends."""

    name = "messaging_alpha_senders"
    parent_stream_type = MessagingServices
    path = "/v1/Services/{service_sid}/AlphaSenders"
    primary_keys = ("service_sid", "sid")


class MessagingChannelSenders(_Messaging):
    """WhatsApp and other channel senders in a service's pool."""

    name = "messaging_channel_senders"
    parent_stream_type = MessagingServices
    path = "/v1/Services/{messaging_service_sid}/ChannelSenders"
    primary_keys = ("messaging_service_sid", "sid")


class MessagingDestinationAlphaSenders(_Messaging):
    """Names from which a service sends to a certain country."""

    name = "messaging_destination_alpha_senders"
    parent_stream_type = MessagingServices
    path = "/v1/Services/{service_sid}/DestinationAlphaSenders"
    primary_keys = ("service_sid", "sid")


class MessagingPhoneNumbers(_Messaging):
    """Phone numbers in a service's pool."""

    name = "messaging_phone_numbers"
    parent_stream_type = MessagingServices
    path = "/v1/Services/{service_sid}/PhoneNumbers"
    primary_keys = ("service_sid", "sid")


class MessagingShortCodes(_Messaging):
    """Short codes in a service's pool."""

    name = "messaging_short_codes"
    parent_stream_type = MessagingServices
    path = "/v1/Services/{service_sid}/ShortCodes"
    primary_keys = ("service_sid", "sid")


class MessagingUsecases(_Messaging):
    """Purposes that a service can be declared for."""

    name = "messaging_usecases"
    path = "/v1/Services/Usecases"
    primary_keys = ("account_sid", "index")
    position_field = "index"


class MessagingSenders(_Messaging):
    """WhatsApp and RCS senders of an account, with their state and profile."""

    name = "messaging_senders"
    path = "/v2/Channels/Senders"
    fan_out: ClassVar[Mapping[str, tuple[str, ...]]] = {"Channel": ("whatsapp", "rcs")}


# --- Registration ------------------------------------------------------------------------------


class MessagingBrandRegistrations(_Messaging):
    """Brands registered for sending to the US from ordinary numbers (A2P 10DLC)."""

    name = "messaging_brand_registrations"
    path = "/v1/a2p/BrandRegistrations"


class MessagingBrandVettings(_Messaging):
    """Examinations of a brand by third parties."""

    name = "messaging_brand_vettings"
    parent_stream_type = MessagingBrandRegistrations
    path = "/v1/a2p/BrandRegistrations/{brand_sid}/Vettings"
    primary_keys = ("brand_sid", "brand_vetting_sid")


class MessagingUsAppToPerson(_Messaging):
    """Campaigns under which a service sends to the US (A2P 10DLC)."""

    name = "messaging_us_app_to_person"
    parent_stream_type = MessagingServices
    path = "/v1/Services/{messaging_service_sid}/Compliance/Usa2p"
    primary_keys = ("messaging_service_sid", "sid")


class MessagingUsAppToPersonUsecases(_Messaging):
    """Purposes that a service's campaign can be registered for."""

    name = "messaging_us_app_to_person_usecases"
    parent_stream_type = MessagingServices
    path = "/v1/Services/{messaging_service_sid}/Compliance/Usa2p/Usecases"
    primary_keys = ("messaging_service_sid", "index")
    position_field = "index"


class MessagingTollfreeVerifications(_Messaging):
    """Verifications that let toll-free numbers send messages."""

    name = "messaging_tollfree_verifications"
    path = "/v1/Tollfree/Verifications"
