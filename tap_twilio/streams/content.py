"""Content (``content.twilio.com``): message templates for all channels."""

from __future__ import annotations

from tap_twilio.streams.accounts import AccountStream


class _Content(AccountStream):
    # The lists can be bounded by date of creation, but templates change long after that, and
    # are few: they are read whole.
    product = "content"
    selected_by_default = False


class ContentTemplates(_Content):
    """Message templates with their text and media for each type of content."""

    name = "content_templates"
    path = "/v2/Content"
    selected_by_default = True


class ContentApprovals(_Content):
    """Message templates with the state of their approval by WhatsApp."""

    name = "content_approvals"
    path = "/v2/ContentAndApprovals"


class ContentLegacyTemplates(_Content):
    """Message templates that were made from older WhatsApp templates, with the older names."""

    name = "content_legacy_templates"
    path = "/v1/LegacyContent"
