"""Account settings (``accounts.twilio.com``): cloud credentials and messaging permissions."""

from __future__ import annotations

from tap_twilio.streams.accounts import AccountStream


class _AccountSettings(AccountStream):
    product = "accounts"
    selected_by_default = False


class AccountsAwsCredentials(_AccountSettings):
    """Names of the AWS credentials that an account has stored at Twilio."""

    name = "accounts_aws_credentials"
    path = "/v1/Credentials/AWS"


class AccountsPublicKeys(_AccountSettings):
    """Names of the public keys that an account has stored at Twilio."""

    name = "accounts_public_keys"
    path = "/v1/Credentials/PublicKeys"


class AccountsMessagingGeoPermissions(_AccountSettings):
    """Countries to which an account may send messages, all in one record."""

    name = "accounts_messaging_geo_permissions"
    path = "/v1/Messaging/GeoPermissions"
    primary_keys = ("account_sid",)
