"""Numbers (``numbers.twilio.com``): porting, hosting, and what regulators ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from tap_twilio.streams.accounts import AccountStream

if TYPE_CHECKING:
    from collections.abc import Mapping


class _Numbers(AccountStream):
    product = "numbers"
    selected_by_default = False


# --- Regulatory compliance ---------------------------------------------------------------------


class NumbersBundles(_Numbers):
    """Bundles of documents that prove to regulators who uses phone numbers."""

    # Twilio can bound them by the end of their validity, which says nothing about changes.
    name = "numbers_bundles"
    path = "/v2/RegulatoryCompliance/Bundles"


class NumbersBundleCopies(_Numbers):
    """Copies of a bundle."""

    name = "numbers_bundle_copies"
    parent_stream_type = NumbersBundles
    path = "/v2/RegulatoryCompliance/Bundles/{bundle_sid}/Copies"


class NumbersBundleEvaluations(_Numbers):
    """Whether a bundle meets its regulation, and what it lacks."""

    name = "numbers_bundle_evaluations"
    parent_stream_type = NumbersBundles
    path = "/v2/RegulatoryCompliance/Bundles/{bundle_sid}/Evaluations"


class NumbersBundleItemAssignments(_Numbers):
    """End users and documents in a bundle."""

    name = "numbers_bundle_item_assignments"
    parent_stream_type = NumbersBundles
    path = "/v2/RegulatoryCompliance/Bundles/{bundle_sid}/ItemAssignments"


class NumbersEndUsers(_Numbers):
    """People and businesses that use phone numbers."""

    name = "numbers_end_users"
    path = "/v2/RegulatoryCompliance/EndUsers"


class NumbersEndUserTypes(_Numbers):
    """Kinds of end users, with the fields that each needs."""

    name = "numbers_end_user_types"
    path = "/v2/RegulatoryCompliance/EndUserTypes"
    primary_keys = ("account_sid", "sid")


class NumbersRegulations(_Numbers):
    """What each country asks for before it lets a number be used."""

    name = "numbers_regulations"
    path = "/v2/RegulatoryCompliance/Regulations"
    primary_keys = ("account_sid", "sid")


class NumbersSupportingDocuments(_Numbers):
    """Documents that support an end user's claims."""

    name = "numbers_supporting_documents"
    path = "/v2/RegulatoryCompliance/SupportingDocuments"


class NumbersSupportingDocumentTypes(_Numbers):
    """Kinds of documents, with the fields that each needs."""

    name = "numbers_supporting_document_types"
    path = "/v2/RegulatoryCompliance/SupportingDocumentTypes"
    primary_keys = ("account_sid", "sid")


# --- Hosting, porting and short codes ----------------------------------------------------------


class NumbersHostedAuthorizationDocuments(_Numbers):
    """Letters that let Twilio host the messaging of numbers which stay elsewhere."""

    name = "numbers_hosted_authorization_documents"
    path = "/v2/HostedNumber/AuthorizationDocuments"


class NumbersHostedDependentOrders(_Numbers):
    """Hosting orders that depend on an authorization document."""

    name = "numbers_hosted_dependent_orders"
    parent_stream_type = NumbersHostedAuthorizationDocuments
    path = (
        "/v2/HostedNumber/AuthorizationDocuments/{signing_document_sid}/DependentHostedNumberOrders"
    )


class NumbersHostedOrders(_Numbers):
    """Orders to host the messaging of a number."""

    name = "numbers_hosted_orders"
    path = "/v2/HostedNumber/Orders"


class NumbersPortInRequests(_Numbers):
    """Requests to move numbers to Twilio, and how far they have come."""

    name = "numbers_port_in_requests"
    path = "/v1/Porting/PortIn/PortInRequests"
    primary_keys = ("port_in_request_sid",)
    size_param = "Size"


class NumbersPortInRequestDetails(_Numbers):
    """One request to move numbers to Twilio in full: numbers, dates, documents, old carrier."""

    name = "numbers_port_in_request_details"
    parent_stream_type = NumbersPortInRequests
    parent_field = "port_in_request_sid"
    path = "/v1/Porting/PortIn/{port_in_request_sid}"
    primary_keys = ("port_in_request_sid",)
    secret_fields = ("signature_request_url",)


class NumbersPortingWebhook(_Numbers):
    """Where Twilio reports about ports, all in one record."""

    name = "numbers_porting_webhook"
    path = "/v1/Porting/Configuration/Webhook"
    primary_keys = ("account_sid",)


class NumbersSigningRequestConfigurations(_Numbers):
    """How letters of authorization look for each country and product."""

    name = "numbers_signing_request_configurations"
    path = "/v1/SigningRequest/Configuration"
    primary_keys = ("account_sid", "country", "product")
    # What is set for no country or product is for all that have nothing of their own.
    stand_ins: ClassVar[Mapping[str, str | int]] = {"country": "", "product": ""}


class NumbersShortCodeApplications(_Numbers):
    """Applications for short codes."""

    name = "numbers_short_code_applications"
    path = "/v2/ShortCodes/Applications"
