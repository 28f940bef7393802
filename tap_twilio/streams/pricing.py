"""Pricing (``pricing.twilio.com``): what an account pays, country by country."""

from __future__ import annotations

from tap_twilio.streams.accounts import AccountStream


class _Countries(AccountStream):
    product = "pricing"
    primary_keys = ("account_sid", "iso_country")
    selected_by_default = False


class _Prices(_Countries):
    parent_field = "iso_country"


class PricingMessagingCountries(_Countries):
    """Countries to which messages can be sent."""

    name = "pricing_messaging_countries"
    path = "/v1/Messaging/Countries"


class PricingMessagingPrices(_Prices):
    """Prices of messages to and from a country, by carrier."""

    name = "pricing_messaging_prices"
    parent_stream_type = PricingMessagingCountries
    path = "/v1/Messaging/Countries/{iso_country}"


class PricingPhoneNumberCountries(_Countries):
    """Countries in which phone numbers can be had."""

    name = "pricing_phone_number_countries"
    path = "/v1/PhoneNumbers/Countries"


class PricingPhoneNumberPrices(_Prices):
    """Monthly prices of a country's phone numbers, by kind."""

    name = "pricing_phone_number_prices"
    parent_stream_type = PricingPhoneNumberCountries
    path = "/v1/PhoneNumbers/Countries/{iso_country}"


class PricingTrunkingCountries(_Countries):
    """Countries that can be called over SIP trunks."""

    name = "pricing_trunking_countries"
    path = "/v2/Trunking/Countries"


class PricingTrunkingPrices(_Prices):
    """Prices of trunk calls to and from a country."""

    name = "pricing_trunking_prices"
    parent_stream_type = PricingTrunkingCountries
    path = "/v2/Trunking/Countries/{iso_country}"


class PricingVoiceCountries(_Countries):
    """Countries that can be called."""

    name = "pricing_voice_countries"
    path = "/v2/Voice/Countries"


class PricingVoicePrices(_Prices):
    """Prices of calls to and from a country, by prefix and origin."""

    name = "pricing_voice_prices"
    parent_stream_type = PricingVoiceCountries
    path = "/v2/Voice/Countries/{iso_country}"
