"""Sync (``sync.twilio.com``): state that devices share."""

from __future__ import annotations

from tap_twilio.streams.accounts import AccountStream


class _Sync(AccountStream):
    product = "sync"
    selected_by_default = False


class SyncServices(_Sync):
    """Services: separate worlds of Sync objects."""

    name = "sync_services"
    path = "/v1/Services"


class SyncDocuments(_Sync):
    """Documents: one JSON object each."""

    name = "sync_documents"
    parent_stream_type = SyncServices
    path = "/v1/Services/{service_sid}/Documents"


class SyncDocumentPermissions(_Sync):
    """Who may do what with a document."""

    name = "sync_document_permissions"
    parent_stream_type = SyncDocuments
    path = "/v1/Services/{service_sid}/Documents/{document_sid}/Permissions"
    primary_keys = ("service_sid", "document_sid", "identity")


class SyncLists(_Sync):
    """Lists of JSON objects in order."""

    name = "sync_lists"
    parent_stream_type = SyncServices
    path = "/v1/Services/{service_sid}/Lists"


class SyncListItems(_Sync):
    """Items of a list."""

    name = "sync_list_items"
    parent_stream_type = SyncLists
    path = "/v1/Services/{service_sid}/Lists/{list_sid}/Items"
    primary_keys = ("list_sid", "index")


class SyncListPermissions(_Sync):
    """Who may do what with a list."""

    name = "sync_list_permissions"
    parent_stream_type = SyncLists
    path = "/v1/Services/{service_sid}/Lists/{list_sid}/Permissions"
    primary_keys = ("service_sid", "list_sid", "identity")


class SyncMaps(_Sync):
    """Maps from keys to JSON objects."""

    name = "sync_maps"
    parent_stream_type = SyncServices
    path = "/v1/Services/{service_sid}/Maps"


class SyncMapItems(_Sync):
    """Items of a map."""

    name = "sync_map_items"
    parent_stream_type = SyncMaps
    path = "/v1/Services/{service_sid}/Maps/{map_sid}/Items"
    primary_keys = ("map_sid", "key")


class SyncMapPermissions(_Sync):
    """Who may do what with a map."""

    name = "sync_map_permissions"
    parent_stream_type = SyncMaps
    path = "/v1/Services/{service_sid}/Maps/{map_sid}/Permissions"
    primary_keys = ("service_sid", "map_sid", "identity")


class SyncStreams(_Sync):
    """Channels for messages that aren't kept."""

    name = "sync_streams"
    parent_stream_type = SyncServices
    path = "/v1/Services/{service_sid}/Streams"
