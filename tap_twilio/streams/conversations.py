"""Conversations (``conversations.twilio.com``): chats across SMS, WhatsApp and apps.

Streams whose names don't mention a service read the account's default service, as Twilio's
paths without a service do; ``conversations_service_…`` read all services, the default included.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from tap_twilio.streams.accounts import AccountStream

if TYPE_CHECKING:
    from collections.abc import Mapping


class _Conversations(AccountStream):
    # Conversations can be bounded by date of creation, but live on and on: they are read whole.
    product = "conversations"
    selected_by_default = False


# --- The default service -----------------------------------------------------------------------


class Conversations(_Conversations):
    """Conversations of the default service."""

    name = "conversations"
    path = "/v1/Conversations"
    selected_by_default = True


class ConversationMessages(_Conversations):
    """Messages in a conversation."""

    name = "conversation_messages"
    parent_stream_type = Conversations
    path = "/v1/Conversations/{conversation_sid}/Messages"


class ConversationMessageReceipts(_Conversations):
    """How a message's delivery went with each participant who isn't in the chat itself."""

    name = "conversation_message_receipts"
    parent_stream_type = ConversationMessages
    path = "/v1/Conversations/{conversation_sid}/Messages/{message_sid}/Receipts"


class ConversationParticipants(_Conversations):
    """Participants of a conversation."""

    name = "conversation_participants"
    parent_stream_type = Conversations
    path = "/v1/Conversations/{conversation_sid}/Participants"


class ConversationWebhooks(_Conversations):
    """Webhooks, Studio flows and bots that listen to one conversation."""

    name = "conversation_webhooks"
    parent_stream_type = Conversations
    path = "/v1/Conversations/{conversation_sid}/Webhooks"


class ConversationsRoles(_Conversations):
    """Roles of the default service: what users and participants may do."""

    name = "conversations_roles"
    path = "/v1/Roles"


class ConversationsUsers(_Conversations):
    """Chat users of the default service."""

    name = "conversations_users"
    path = "/v1/Users"


class ConversationsUserConversations(_Conversations):
    """Conversations that a chat user takes part in, with what the user has read."""

    name = "conversations_user_conversations"
    parent_stream_type = ConversationsUsers
    path = "/v1/Users/{user_sid}/Conversations"
    primary_keys = ("chat_service_sid", "user_sid", "conversation_sid")
    # The conversation's SID tells rows apart without it.
    stand_ins: ClassVar[Mapping[str, str | int]] = {"chat_service_sid": ""}


# --- The account -------------------------------------------------------------------------------


class ConversationsConfiguration(_Conversations):
    """An account's settings for conversations: its default services and timers."""

    name = "conversations_configuration"
    path = "/v1/Configuration"
    primary_keys = ("account_sid",)


class ConversationsConfigurationWebhooks(_Conversations):
    """Where an account's conversations report to, and what."""

    name = "conversations_configuration_webhooks"
    path = "/v1/Configuration/Webhooks"
    primary_keys = ("account_sid",)


class ConversationsAddresses(_Conversations):
    """Phone numbers and other addresses at which a message starts a conversation."""

    name = "conversations_addresses"
    path = "/v1/Configuration/Addresses"


class ConversationsCredentials(_Conversations):
    """Credentials for push notifications, without their secrets."""

    name = "conversations_credentials"
    path = "/v1/Credentials"


class ConversationsServices(_Conversations):
    """Services: separate worlds of conversations, users and roles within an account."""

    name = "conversations_services"
    path = "/v1/Services"


# --- All services ------------------------------------------------------------------------------


class ConversationsServiceBindings(_Conversations):
    """Devices that get push notifications for a service's users."""

    name = "conversations_service_bindings"
    parent_stream_type = ConversationsServices
    path = "/v1/Services/{chat_service_sid}/Bindings"


class ConversationsServiceConfiguration(_Conversations):
    """A service's default roles and whether it tells who is reachable."""

    name = "conversations_service_configuration"
    parent_stream_type = ConversationsServices
    path = "/v1/Services/{chat_service_sid}/Configuration"
    primary_keys = ("chat_service_sid",)


class ConversationsServiceNotifications(_Conversations):
    """A service's settings for push notifications."""

    name = "conversations_service_notifications"
    parent_stream_type = ConversationsServices
    path = "/v1/Services/{chat_service_sid}/Configuration/Notifications"
    primary_keys = ("chat_service_sid",)


class ConversationsServiceWebhooks(_Conversations):
    """Where a service reports to, and what."""

    name = "conversations_service_webhooks"
    parent_stream_type = ConversationsServices
    path = "/v1/Services/{chat_service_sid}/Configuration/Webhooks"
    primary_keys = ("chat_service_sid",)


class ConversationsServiceConversations(_Conversations):
    """Conversations of every service."""

    name = "conversations_service_conversations"
    parent_stream_type = ConversationsServices
    path = "/v1/Services/{chat_service_sid}/Conversations"


class ConversationsServiceMessages(_Conversations):
    """Messages in a conversation of any service."""

    name = "conversations_service_messages"
    parent_stream_type = ConversationsServiceConversations
    path = "/v1/Services/{chat_service_sid}/Conversations/{conversation_sid}/Messages"


class ConversationsServiceMessageReceipts(_Conversations):
    """Receipts of a message in a conversation of any service."""

    name = "conversations_service_message_receipts"
    parent_stream_type = ConversationsServiceMessages
    path = (
        "/v1/Services/{chat_service_sid}/Conversations/{conversation_sid}"
        "/Messages/{message_sid}/Receipts"
    )


class ConversationsServiceParticipants(_Conversations):
    """Participants of a conversation of any service."""

    name = "conversations_service_participants"
    parent_stream_type = ConversationsServiceConversations
    path = "/v1/Services/{chat_service_sid}/Conversations/{conversation_sid}/Participants"


class ConversationsServiceConversationWebhooks(_Conversations):
    """Listeners to one conversation of any service."""

    name = "conversations_service_conversation_webhooks"
    parent_stream_type = ConversationsServiceConversations
    path = "/v1/Services/{chat_service_sid}/Conversations/{conversation_sid}/Webhooks"


class ConversationsServiceRoles(_Conversations):
    """Roles of every service."""

    name = "conversations_service_roles"
    parent_stream_type = ConversationsServices
    path = "/v1/Services/{chat_service_sid}/Roles"


class ConversationsServiceUsers(_Conversations):
    """Chat users of every service."""

    name = "conversations_service_users"
    parent_stream_type = ConversationsServices
    path = "/v1/Services/{chat_service_sid}/Users"


class ConversationsServiceUserConversations(_Conversations):
    """Conversations that a chat user of any service takes part in."""

    name = "conversations_service_user_conversations"
    parent_stream_type = ConversationsServiceUsers
    path = "/v1/Services/{chat_service_sid}/Users/{user_sid}/Conversations"
    primary_keys = ("chat_service_sid", "user_sid", "conversation_sid")
