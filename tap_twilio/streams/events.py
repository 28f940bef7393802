"""Event Streams (``events.twilio.com``): what Twilio pushes where."""

from __future__ import annotations

from tap_twilio.streams.accounts import AccountStream


class _Events(AccountStream):
    product = "events"
    selected_by_default = False


class EventsSinks(_Events):
    """Destinations of events, without their configuration: it may hold a write key."""

    name = "events_sinks"
    path = "/v1/Sinks"
    secret_fields = ("sink_configuration",)


class EventsSubscriptions(_Events):
    """Subscriptions of sinks to events."""

    name = "events_subscriptions"
    path = "/v1/Subscriptions"


class EventsSubscribedEvents(_Events):
    """Types of events in a subscription, with the version of their schema."""

    name = "events_subscribed_events"
    parent_stream_type = EventsSubscriptions
    path = "/v1/Subscriptions/{subscription_sid}/SubscribedEvents"
    primary_keys = ("subscription_sid", "type")


class EventsTypes(_Events):
    """Types of events that can be subscribed to."""

    name = "events_types"
    path = "/v1/Types"
    primary_keys = ("account_sid", "type")


class EventsSchemaVersions(_Events):
    """Versions of the schema of a type of event."""

    name = "events_schema_versions"
    parent_stream_type = EventsTypes
    parent_field = "schema_id"
    path = "/v1/Schemas/{id}/Versions"
    primary_keys = ("account_sid", "id", "schema_version")
