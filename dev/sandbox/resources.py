"""What is peculiar to a few of Twilio's resources, as data.

Every endpoint has rows without being named here. Named are those whose rows change with age, refer
to one another, or are listed in an unusual way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from sandbox import messaging, voice
from sandbox.identifiers import hash_of
from sandbox.moments import DAY, HOUR, MINUTE, iso8601, iso_day
from sandbox.paths import (
    ACCOUNT,
    CALLS,
    CONFERENCES,
    DAYS,
    MESSAGE_MEDIA,
    MESSAGES,
    NOTIFICATIONS,
    NUMBERS,
    PARTICIPANTS,
    RECORDINGS,
    TRANSCRIPTIONS,
)
from sandbox.rows import COUNTRIES, OWN_NUMBERS, foreign_sid, national, own_number
from sandbox.traits import DateRule, Hidden, Traits, View

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.frames import Draft, Wire

SIMS: Final = 4
"""How many SIMs have usage."""

EIGHTEEN_MONTHS: Final = 546

USAGE_VARIANTS: Final = (
    "",
    "/AllTime",
    "/Daily",
    "/LastMonth",
    "/Monthly",
    "/ThisMonth",
    "/Today",
    "/Yearly",
    "/Yesterday",
)

FREE_VALUES: Final[Mapping[str, tuple[str, ...]]] = {
    "ResourceType": ("Messages", "Calls", "Conferences", "Participants"),
}
"""Values of placeholders that no list gives."""


def _range(  # noqa: PLR0913
    low: str,
    high: str,
    column: str,
    *,
    high_boundary: Literal["unsure", "inclusive", "exclusive", "day"] = "inclusive",
    strict: bool = False,
    relative: bool = False,
    whole_days: bool = False,
) -> dict[str, DateRule]:
    return {
        low: DateRule(column, "low", "inclusive", strict, relative, whole_days),
        high: DateRule(column, "high", high_boundary, strict, relative, whole_days),
    }


VIEWS: Final[Mapping[tuple[str, str], View]] = {
    ("api", f"{ACCOUNT}/Calls/{{CallSid}}/Recordings.json"): View(
        RECORDINGS, {"call_sid": "{CallSid}"}
    ),
    ("api", f"{ACCOUNT}/Calls/{{CallSid}}/Notifications.json"): View(
        NOTIFICATIONS, {"call_sid": "{CallSid}"}
    ),
    ("api", f"{ACCOUNT}/Conferences/{{ConferenceSid}}/Recordings.json"): View(
        RECORDINGS, {"conference_sid": "{ConferenceSid}"}
    ),
    ("api", f"{ACCOUNT}/Recordings/{{RecordingSid}}/Transcriptions.json"): View(
        TRANSCRIPTIONS, {"recording_sid": "{RecordingSid}"}
    ),
    ("api", f"{ACCOUNT}/Addresses/{{AddressSid}}/DependentPhoneNumbers.json"): View(
        NUMBERS, {"address_sid": "{AddressSid}"}
    ),
    ("api", f"{ACCOUNT}/IncomingPhoneNumbers/Local.json"): View(NUMBERS, {"type": "local"}),
    ("api", f"{ACCOUNT}/IncomingPhoneNumbers/Mobile.json"): View(NUMBERS, {"type": "mobile"}),
    ("api", f"{ACCOUNT}/IncomingPhoneNumbers/TollFree.json"): View(NUMBERS, {"type": "toll-free"}),
}


def _alert(draft: Draft) -> Wire:
    written = iso8601(draft.created + draft.bits % 5)
    calls = draft.table.relate(CALLS)
    return {
        "log_level": ("error", "warning", "notice", "debug")[draft.bits % 4],
        "error_code": ("11200", "12100", "30007", "82002")[(draft.bits >> 3) % 4],
        "date_generated": iso8601(draft.created),
        "date_created": written,
        "date_updated": written,
        "alert_text": "Msg&sourceComponent=14100&url=https%3A%2F%2Fexample.com",
        "resource_sid": calls.sids.mint((draft.bits >> 9) % 100) if calls else None,
    }


def _incoming_number(draft: Draft) -> Wire:
    number = own_number(draft.index)
    addresses = draft.table.relate(f"{ACCOUNT}/Addresses.json")
    addressed = addresses is not None and draft.index % 2 == 0
    return {
        "phone_number": number,
        "friendly_name": national(number),
        "type": ("local", "mobile", "toll-free", "national")[draft.index % 4],
        "address_sid": addresses.sids.mint(draft.index // 2 % 3)
        if addressed and addresses
        else None,
        "capabilities": {"voice": True, "sms": True, "mms": draft.index % 3 > 0, "fax": False},
        "emergency_address_sid": None,
        "trunk_sid": None,
        "status": "in-use",
    }


def _country(draft: Draft) -> Wire:
    code, name = COUNTRIES[draft.index % len(COUNTRIES)]
    return {"country_code": code, "country": name, "beta": False}


def _revision(draft: Draft) -> Wire:
    return {"revision": draft.index + 1}


def _super_sim_usage(draft: Draft) -> Wire:
    start = draft.created - draft.created % DAY
    return {
        "sim_sid": foreign_sid("HS", draft.table.seed, draft.index % SIMS),
        "fleet_sid": None,
        "network_sid": None,
        "iso_country": None,
        "period": {"start_time": iso8601(start), "end_time": iso8601(start + DAY)},
    }


def _wireless_usage(draft: Draft) -> Wire:
    start = draft.created - draft.created % DAY
    return {"period": {"start": iso8601(start), "end": iso8601(start + DAY)}}


def _exported_day(draft: Draft) -> Wire:
    """Write a day that the daily export made, once it was over."""
    return {
        "day": iso_day(draft.created - DAY),
        "create_date": iso8601(draft.created),
        "resource_type": draft.table.values["ResourceType"],
        "size": None,
    }


_OLDEST_FIRST: Final = Traits(ascending=True)

_WIRELESS_USAGE: Final = Traits(
    every=DAY,
    describe=_wireless_usage,
    dates=_range("Start", "End", "period.start"),
    window=("period.start", 30 * DAY),
    retention=EIGHTEEN_MONTHS,
)

TRAITS: Final[Mapping[tuple[str, str], Traits]] = {
    ("bulkexports", DAYS): Traits(
        every=DAY,
        describe=_exported_day,
        order=("create_date",),
        ascending=True,
        identifier="day",
        retention=7,
    ),
    ("api", CALLS): Traits(
        volume=2000,
        volume_of="calls",
        grows=True,
        tokens="sid",
        describe=voice.describe_call,
        offsets={"start_time": (0, 4), "end_time": (0, 4 * HOUR + MINUTE)},
    ),
    ("api", MESSAGES): Traits(
        volume=3000,
        volume_of="messages",
        grows=True,
        tokens="sid",
        describe=messaging.describe_message,
        pending=messaging.unsent,
        order=("date_sent", "date_created"),
        offsets={"date_sent": (0, 0)},
        retention=400,
        refuses=True,
    ),
    ("api", MESSAGE_MEDIA): Traits(count=messaging.num_media, describe=messaging.describe_media),
    ("api", RECORDINGS): Traits(
        volume_of="recordings",
        base=CALLS,
        share=5,
        delay=4,
        describe=voice.describe_recording,
        offsets={"date_created": (0, 0)},
        hides=Hidden("IncludeSoftDeleted", "status", "deleted", shown=False),
    ),
    ("api", TRANSCRIPTIONS): Traits(
        volume_of="transcriptions",
        base=RECORDINGS,
        share=3,
        delay=MINUTE,
        describe=voice.describe_transcription,
    ),
    ("api", NOTIFICATIONS): Traits(
        volume_of="notifications",
        base=CALLS,
        share=10,
        delay=1,
        describe=voice.describe_notification,
        order=("message_date",),
        offsets={"message_date": (0, 0)},
    ),
    ("api", CONFERENCES): Traits(
        volume_of="conferences",
        base=CALLS,
        share=20,
        delay=2,
        describe=voice.describe_conference,
        tokens="sid",
        offsets={"date_created": (0, 0), "date_updated": (0, HOUR + MINUTE)},
        hides=Hidden("Status", "status", "in-progress", shown=True),
    ),
    ("api", PARTICIPANTS): Traits(
        count=lambda _: 3,
        describe=voice.describe_participant,
        live=voice.not_completed,
        identifier="call_sid",
        tokens="sid",
    ),
    ("api", f"{ACCOUNT}/Calls/{{CallSid}}/Feedback.json"): Traits(
        count=voice.has_feedback, describe=voice.describe_feedback
    ),
    ("api", f"{ACCOUNT}/Calls/{{CallSid}}/Events.json"): Traits(
        count=lambda call: hash_of(call["sid"]) % 4, describe=voice.describe_call_event
    ),
    ("api", f"{ACCOUNT}/Queues/{{QueueSid}}/Members.json"): Traits(identifier="call_sid"),
    ("api", NUMBERS): Traits(volume=OWN_NUMBERS, describe=_incoming_number),
    ("api", f"{ACCOUNT}/AvailablePhoneNumbers.json"): Traits(
        volume=4, describe=_country, identifier="country_code"
    ),
    ("api", f"{ACCOUNT}/Usage/Triggers.json"): Traits(tokens="page"),
    **{
        ("api", f"{ACCOUNT}/Usage/Records{variant}.json"): Traits(tokens="page")
        for variant in USAGE_VARIANTS
    },
    ("monitor", "/v1/Alerts"): Traits(
        volume=200,
        volume_of="alerts",
        grows=True,
        describe=_alert,
        order=("date_generated",),
        offsets={"date_generated": (0, 0)},
        dates=_range("StartDate", "EndDate", "date_generated"),
        retention=30,
        cap=10_000,
    ),
    ("monitor", "/v1/Events"): Traits(
        volume=100,
        volume_of="monitor_events",
        grows=True,
        order=("event_date",),
        offsets={"event_date": (0, 0)},
        dates=_range("StartDate", "EndDate", "event_date"),
    ),
    ("insights", "/v1/Voice/Summaries"): Traits(
        volume_of="call_summaries",
        base=CALLS,
        delay=MINUTE,
        describe=voice.describe_call_summary,
        identifier="call_sid",
        place=voice.place_by_base,
        tokens="page",
        order=("created_time",),
        offsets={"start_time": (-MINUTE, 0)},
        dates=_range("StartTime", "EndTime", "start_time", relative=True),
        window=("start_time", 4 * HOUR),
    ),
    ("insights", "/v1/Conferences"): Traits(
        volume_of="conference_summaries",
        base=CONFERENCES,
        delay=MINUTE,
        describe=voice.describe_conference_summary,
        identifier="conference_sid",
        place=voice.place_by_base,
        dates=_range("CreatedAfter", "CreatedBefore", "create_time", high_boundary="unsure"),
    ),
    ("insights", "/v1/Video/Rooms"): Traits(
        identifier="room_sid",
        dates=_range("CreatedAfter", "CreatedBefore", "create_time", high_boundary="exclusive"),
    ),
    ("insights", "/v1/Voice/{CallSid}/Events"): Traits(tokens="page"),
    ("insights", "/v1/Voice/{CallSid}/Metrics"): Traits(tokens="page"),
    ("conversations", "/v1/Conversations"): Traits(
        dates=_range("StartDate", "EndDate", "date_created", high_boundary="day")
    ),
    ("conversations", "/v1/Services/{ChatServiceSid}/Conversations"): Traits(
        dates=_range("StartDate", "EndDate", "date_created", high_boundary="day")
    ),
    ("conversations", "/v1/ParticipantConversations"): Traits(required=("Identity|Address",)),
    ("conversations", "/v1/Services/{ChatServiceSid}/ParticipantConversations"): Traits(
        required=("Identity|Address",)
    ),
    ("conversations", "/v1/Conversations/{ConversationSid}/Messages"): _OLDEST_FIRST,
    (
        "conversations",
        "/v1/Services/{ChatServiceSid}/Conversations/{ConversationSid}/Messages",
    ): _OLDEST_FIRST,
    ("chat", "/v1/Services/{ServiceSid}/Channels/{ChannelSid}/Messages"): _OLDEST_FIRST,
    ("chat", "/v2/Services/{ServiceSid}/Channels/{ChannelSid}/Messages"): _OLDEST_FIRST,
    ("sync", "/v1/Services/{ServiceSid}/Lists/{ListSid}/Items"): _OLDEST_FIRST,
    ("sync", "/v1/Services/{ServiceSid}/Maps/{MapSid}/Items"): _OLDEST_FIRST,
    ("verify", "/v2/Services/{ServiceSid}/Entities/{Identity}/Challenges"): _OLDEST_FIRST,
    ("content", "/v2/Content"): Traits(
        dates=_range("DateCreatedAfter", "DateCreatedBefore", "date_created")
    ),
    ("content", "/v2/ContentAndApprovals"): Traits(
        dates=_range("DateCreatedAfter", "DateCreatedBefore", "date_created")
    ),
    ("iam", "/v1/Keys"): Traits(required=("AccountSid",)),
    ("messaging", "/v2/Channels/Senders"): Traits(
        required=("Channel",), prefixes={"Channel": "sender_id"}
    ),
    ("notify", "/v1/Services/{ServiceSid}/Bindings"): Traits(
        dates=_range("StartDate", "EndDate", "date_created", high_boundary="day")
    ),
    ("serverless", "/v1/Services/{ServiceSid}/Environments/{EnvironmentSid}/Logs"): Traits(
        grows=True,
        dates=_range("StartDate", "EndDate", "date_created", high_boundary="exclusive"),
        window=("date_created", DAY),
        retention=30,
        cap=10_000,
    ),
    ("studio", "/v2/Flows/{FlowSid}/Executions"): Traits(grows=True),
    ("studio", "/v2/Flows/{Sid}/Revisions"): Traits(describe=_revision, identifier="revision"),
    ("taskrouter", "/v1/Workspaces/{WorkspaceSid}/Tasks"): _OLDEST_FIRST,
    ("taskrouter", "/v1/Workspaces/{WorkspaceSid}/Events"): Traits(
        grows=True,
        order=("event_date",),
        dates=_range("StartDate", "EndDate", "event_date", strict=True),
        window=("event_date", 15 * MINUTE),
        retention=30,
    ),
    ("supersim", "/v1/UsageRecords"): Traits(
        every=DAY // SIMS,
        describe=_super_sim_usage,
        dates=_range(
            "StartTime",
            "EndTime",
            "period.start_time",
            high_boundary="exclusive",
            whole_days=True,
        ),
        window=("period.start_time", 30 * DAY),
        retention=EIGHTEEN_MONTHS,
        refuses=True,
    ),
    ("wireless", "/v1/UsageRecords"): _WIRELESS_USAGE,
    ("wireless", "/v1/Sims/{SimSid}/UsageRecords"): _WIRELESS_USAGE,
    ("video", "/v1/Rooms"): Traits(
        hides=Hidden("Status", "status", "in-progress", shown=True),
        dates=_range(
            "DateCreatedAfter", "DateCreatedBefore", "date_created", high_boundary="exclusive"
        ),
    ),
    ("video", "/v1/Rooms/{RoomSid}/Participants"): Traits(
        dates=_range(
            "DateCreatedAfter", "DateCreatedBefore", "start_time", high_boundary="exclusive"
        ),
    ),
    ("pricing", "/v1/Messaging/Countries"): Traits(identifier="iso_country"),
    ("pricing", "/v1/PhoneNumbers/Countries"): Traits(identifier="iso_country"),
    ("pricing", "/v1/Voice/Countries"): Traits(identifier="iso_country"),
    ("pricing", "/v2/Trunking/Countries"): Traits(identifier="iso_country"),
    ("pricing", "/v2/Voice/Countries"): Traits(identifier="iso_country"),
    ("voice", "/v1/DialingPermissions/Countries"): Traits(identifier="iso_code"),
    ("verify", "/v2/Services/{ServiceSid}/Entities"): Traits(identifier="identity"),
}

PLAIN: Final = Traits()

_MAPPINGS: Final = (
    "CredentialListMappings",
    "IpAccessControlListMappings",
    "Auth/Calls/CredentialListMappings",
    "Auth/Calls/IpAccessControlListMappings",
    "Auth/Registrations/CredentialListMappings",
)
_ADD_ONS: Final = f"{NUMBERS.removesuffix('.json')}/{{ResourceSid}}/AssignedAddOns"

SHARED: Final[frozenset[tuple[str, str]]] = frozenset(
    {
        *(("api", f"{ACCOUNT}/SIP/Domains/{{DomainSid}}/{name}.json") for name in _MAPPINGS),
        ("api", f"{ACCOUNT}/AuthorizedConnectApps.json"),
        ("api", f"{_ADD_ONS}.json"),
        ("api", f"{_ADD_ONS}/{{AssignedAddOnSid}}/Extensions.json"),
        ("conversations", "/v1/Users/{UserSid}/Conversations"),
        ("conversations", "/v1/Services/{ChatServiceSid}/Users/{UserSid}/Conversations"),
        ("flex-api", "/v1/PluginService/Configurations/{ConfigurationSid}/Plugins"),
        ("intelligence", "/v2/Operators"),
        ("intelligence", "/v2/OperatorTypes"),
        ("intelligence", "/v2/Transcripts/{TranscriptSid}/OperatorResults"),
        ("marketplace", "/v1/AvailableAddOns"),
        ("marketplace", "/v1/AvailableAddOns/{AvailableAddOnSid}/Extensions"),
        ("marketplace", "/v1/InstalledAddOns/{InstalledAddOnSid}/Extensions"),
        ("messaging", "/v1/Services/{MessagingServiceSid}/ChannelSenders"),
        ("messaging", "/v1/Services/{MessagingServiceSid}/Compliance/Usa2p"),
        ("messaging", "/v1/Services/{ServiceSid}/AlphaSenders"),
        ("messaging", "/v1/Services/{ServiceSid}/DestinationAlphaSenders"),
        ("messaging", "/v1/Services/{ServiceSid}/PhoneNumbers"),
        ("messaging", "/v1/Services/{ServiceSid}/ShortCodes"),
        ("numbers", "/v2/RegulatoryCompliance/EndUserTypes"),
        ("numbers", "/v2/RegulatoryCompliance/Regulations"),
        ("numbers", "/v2/RegulatoryCompliance/SupportingDocumentTypes"),
        ("proxy", "/v1/Services/{ServiceSid}/PhoneNumbers"),
        ("supersim", "/v1/NetworkAccessProfiles/{NetworkAccessProfileSid}/Networks"),
        ("supersim", "/v1/Networks"),
        ("trunking", "/v1/Trunks/{TrunkSid}/CredentialLists"),
        ("trunking", "/v1/Trunks/{TrunkSid}/IpAccessControlLists"),
        ("trunking", "/v1/Trunks/{TrunkSid}/PhoneNumbers"),
        ("trusthub", "/v1/EndUserTypes"),
        ("trusthub", "/v1/Policies"),
        ("trusthub", "/v1/SupportingDocumentTypes"),
        ("verify", "/v2/Templates"),
        ("video", "/v1/Rooms/{RoomSid}/Participants/{ParticipantSid}/SubscribedTracks"),
    }
)
"""Lists whose rows have the same SIDs in all accounts and below all parents: what is Twilio's own,
and what can be attached to several parents at once."""


_PREFIXES: Final[Mapping[str, str]] = {
    "accounts": "AC",
    "calls": "CA",
    "messages": "SM",
    "media_list": "ME",
    "recordings": "RE",
    "conferences": "CF",
    "notifications": "NO",
    "alerts": "NO",
    "incoming_phone_numbers": "PN",
    "transcriptions": "TR",
    "queues": "QU",
    "keys": "SK",
}


def prefix_of(data_key: str | None, path: str) -> str:
    """Guess the first letters of a resource's SIDs where its schema does not tell them."""
    known = _PREFIXES.get(data_key or "")
    if known:
        return known
    letters = [letter for letter in path.rpartition("/")[2].upper() if letter.isalpha()]
    return "".join(letters[:2])
