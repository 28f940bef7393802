"""Verify (``verify.twilio.com``): proofs that people own their numbers and devices."""

from __future__ import annotations

from datetime import timedelta

from tap_twilio.resource.windows import DateFilter
from tap_twilio.streams.accounts import AccountStream

DAY = timedelta(days=1)


class _Verify(AccountStream):
    product = "verify"
    # Some of its lists refuse the documented maximum of 1,000.
    page_size = 100
    selected_by_default = False


class VerifyAttempts(_Verify):
    """Codes and other challenges sent to people, by channel, with their price and outcome."""

    name = "verify_attempts"
    path = "/v2/Attempts"
    replication_key = "date_created"
    window = DateFilter(after="DateCreatedAfter", before="DateCreatedBefore")
    lookback = 2 * DAY
    selected_by_default = True


class VerifyServices(_Verify):
    """Services: verifications with common settings."""

    name = "verify_services"
    path = "/v2/Services"
    selected_by_default = True


class _OfService(_Verify):
    parent_stream_type = VerifyServices


class VerifyEntities(_OfService):
    """Users who have factors, under the names that the application gave them."""

    name = "verify_entities"
    path = "/v2/Services/{service_sid}/Entities"


class VerifyChallenges(_Verify):
    """Challenges to a user's factors, and their outcome."""

    name = "verify_challenges"
    parent_stream_type = VerifyEntities
    parent_field = "identity"
    path = "/v2/Services/{service_sid}/Entities/{identity}/Challenges"


class VerifyFactors(_Verify):
    """Devices and one-time passwords by which a user is verified."""

    name = "verify_factors"
    parent_stream_type = VerifyEntities
    parent_field = "identity"
    path = "/v2/Services/{service_sid}/Entities/{identity}/Factors"
    # What one-time passwords are made of, and an address that has it in its query.
    secret_fields = ("binding",)


class VerifyMessagingConfigurations(_OfService):
    """Messaging services that a service sends by, country by country."""

    name = "verify_messaging_configurations"
    path = "/v2/Services/{service_sid}/MessagingConfigurations"
    primary_keys = ("service_sid", "country")


class VerifyRateLimits(_OfService):
    """Limits that a service puts on verifications."""

    name = "verify_rate_limits"
    path = "/v2/Services/{service_sid}/RateLimits"


class VerifyRateLimitBuckets(_Verify):
    """How many verifications a limit allows in which time."""

    name = "verify_rate_limit_buckets"
    parent_stream_type = VerifyRateLimits
    path = "/v2/Services/{service_sid}/RateLimits/{rate_limit_sid}/Buckets"


class VerifyWebhooks(_OfService):
    """Where a service reports to, and what."""

    name = "verify_webhooks"
    path = "/v2/Services/{service_sid}/Webhooks"


class VerifyTemplates(_Verify):
    """Texts of verification messages, with their translations."""

    name = "verify_templates"
    path = "/v2/Templates"
    primary_keys = ("account_sid", "sid")
