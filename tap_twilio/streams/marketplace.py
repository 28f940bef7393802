"""Marketplace (``marketplace.twilio.com``): add-ons, for sale and installed."""

from __future__ import annotations

from tap_twilio.streams.accounts import AccountStream


class _Marketplace(AccountStream):
    product = "marketplace"
    selected_by_default = False


class MarketplaceAvailableAddOns(_Marketplace):
    """Add-ons that an account can install."""

    name = "marketplace_available_add_ons"
    path = "/v1/AvailableAddOns"
    primary_keys = ("account_sid", "sid")


class MarketplaceAvailableAddOnExtensions(_Marketplace):
    """Products in which an available add-on can be used."""

    name = "marketplace_available_add_on_extensions"
    parent_stream_type = MarketplaceAvailableAddOns
    path = "/v1/AvailableAddOns/{available_add_on_sid}/Extensions"
    primary_keys = ("account_sid", "available_add_on_sid", "sid")


class MarketplaceInstalledAddOns(_Marketplace):
    """Add-ons that an account has installed."""

    name = "marketplace_installed_add_ons"
    path = "/v1/InstalledAddOns"


class MarketplaceInstalledAddOnExtensions(_Marketplace):
    """Products in which an installed add-on is used."""

    name = "marketplace_installed_add_on_extensions"
    parent_stream_type = MarketplaceInstalledAddOns
    path = "/v1/InstalledAddOns/{installed_add_on_sid}/Extensions"
    primary_keys = ("installed_add_on_sid", "sid")


class MarketplaceListings(_Marketplace):
    """Everything that the marketplace shows."""

    name = "marketplace_listings"
    path = "/v1/Listings"
    primary_keys = ("account_sid", "index")
    position_field = "index"
