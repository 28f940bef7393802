"""Trust Hub (``trusthub.twilio.com``): who an account is, and what vouches for it."""

from __future__ import annotations

from tap_twilio.streams.accounts import AccountStream


class _TrustHub(AccountStream):
    product = "trusthub"
    selected_by_default = False


class TrustHubCustomerProfiles(_TrustHub):
    """Profiles of businesses and people who use Twilio."""

    name = "trusthub_customer_profiles"
    path = "/v1/CustomerProfiles"


class TrustHubCustomerProfileChannelEndpointAssignments(_TrustHub):
    """Phone numbers and other endpoints that a profile vouches for."""

    name = "trusthub_customer_profile_channel_endpoint_assignments"
    parent_stream_type = TrustHubCustomerProfiles
    path = "/v1/CustomerProfiles/{customer_profile_sid}/ChannelEndpointAssignments"


class TrustHubCustomerProfileEntityAssignments(_TrustHub):
    """End users, documents and other profiles that a profile is made of."""

    name = "trusthub_customer_profile_entity_assignments"
    parent_stream_type = TrustHubCustomerProfiles
    path = "/v1/CustomerProfiles/{customer_profile_sid}/EntityAssignments"


class TrustHubCustomerProfileEvaluations(_TrustHub):
    """Whether a profile meets its policy, and what it lacks."""

    name = "trusthub_customer_profile_evaluations"
    parent_stream_type = TrustHubCustomerProfiles
    path = "/v1/CustomerProfiles/{customer_profile_sid}/Evaluations"


class TrustHubTrustProducts(_TrustHub):
    """Trust products, such as SHAKEN/STIR and branded calls."""

    name = "trusthub_trust_products"
    path = "/v1/TrustProducts"


class TrustHubTrustProductChannelEndpointAssignments(_TrustHub):
    """Phone numbers and other endpoints that a trust product covers."""

    name = "trusthub_trust_product_channel_endpoint_assignments"
    parent_stream_type = TrustHubTrustProducts
    path = "/v1/TrustProducts/{trust_product_sid}/ChannelEndpointAssignments"


class TrustHubTrustProductEntityAssignments(_TrustHub):
    """End users, documents and profiles that a trust product is made of."""

    name = "trusthub_trust_product_entity_assignments"
    parent_stream_type = TrustHubTrustProducts
    path = "/v1/TrustProducts/{trust_product_sid}/EntityAssignments"


class TrustHubTrustProductEvaluations(_TrustHub):
    """Whether a trust product meets its policy, and what it lacks."""

    name = "trusthub_trust_product_evaluations"
    parent_stream_type = TrustHubTrustProducts
    path = "/v1/TrustProducts/{trust_product_sid}/Evaluations"


class TrustHubEndUsers(_TrustHub):
    """People and businesses that profiles and products name."""

    name = "trusthub_end_users"
    path = "/v1/EndUsers"


class TrustHubEndUserTypes(_TrustHub):
    """Kinds of end users, with the fields that each needs."""

    name = "trusthub_end_user_types"
    path = "/v1/EndUserTypes"
    primary_keys = ("account_sid", "sid")


class TrustHubPolicies(_TrustHub):
    """What profiles and products must fulfil."""

    name = "trusthub_policies"
    path = "/v1/Policies"
    primary_keys = ("account_sid", "sid")


class TrustHubSupportingDocuments(_TrustHub):
    """Documents that support an end user's claims."""

    name = "trusthub_supporting_documents"
    path = "/v1/SupportingDocuments"


class TrustHubSupportingDocumentTypes(_TrustHub):
    """Kinds of documents, with the fields that each needs."""

    name = "trusthub_supporting_document_types"
    path = "/v1/SupportingDocumentTypes"
    primary_keys = ("account_sid", "sid")
