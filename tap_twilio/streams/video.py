"""Video (``video.twilio.com``): rooms, their participants and recordings."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

from tap_twilio.resource.windows import DateFilter, Unit
from tap_twilio.streams.accounts import AccountStream

if TYPE_CHECKING:
    from collections.abc import Mapping

DAY = timedelta(days=1)


class _Video(AccountStream):
    product = "video"
    selected_by_default = False


# --- Rooms -------------------------------------------------------------------------------------


class VideoRooms(_Video):
    """Video rooms, running and ended."""

    name = "video_rooms"
    path = "/v1/Rooms"
    replication_key = "date_created"
    window = DateFilter(after="DateCreatedAfter", before="DateCreatedBefore", precision=Unit.DAY)
    lookback = 2 * DAY
    fan_out: ClassVar[Mapping[str, tuple[str, ...]]] = {
        # Unasked, Twilio lists running rooms only. Each state comes after those that lead to it.
        "Status": ("in-progress", "completed", "failed"),
    }


class _OfRoom(_Video):
    parent_stream_type = VideoRooms


class VideoParticipants(_OfRoom):
    """Participants of a room, those who left included."""

    name = "video_participants"
    path = "/v1/Rooms/{room_sid}/Participants"
    fan_out: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "Status": ("connected", "reconnecting", "disconnected"),
    }


class VideoPublishedTracks(_Video):
    """Audio, video and data that a participant sends."""

    name = "video_published_tracks"
    parent_stream_type = VideoParticipants
    path = "/v1/Rooms/{room_sid}/Participants/{participant_sid}/PublishedTracks"


class VideoSubscribeRules(_Video):
    """Which tracks a participant gets, all rules in one record."""

    name = "video_subscribe_rules"
    parent_stream_type = VideoParticipants
    path = "/v1/Rooms/{room_sid}/Participants/{participant_sid}/SubscribeRules"
    primary_keys = ("room_sid", "participant_sid")


class VideoSubscribedTracks(_Video):
    """Audio, video and data that a participant gets."""

    name = "video_subscribed_tracks"
    parent_stream_type = VideoParticipants
    path = "/v1/Rooms/{room_sid}/Participants/{participant_sid}/SubscribedTracks"
    primary_keys = ("participant_sid", "sid")


class VideoRecordingRules(_OfRoom):
    """Which of a room's tracks are recorded, all rules in one record."""

    name = "video_recording_rules"
    path = "/v1/Rooms/{room_sid}/RecordingRules"
    primary_keys = ("room_sid",)


class VideoRoomRecordings(_OfRoom):
    """Recordings of one room's tracks."""

    name = "video_room_recordings"
    path = "/v1/Rooms/{room_sid}/Recordings"


class VideoTranscriptions(_OfRoom):
    """Transcriptions of a room's speech."""

    name = "video_transcriptions"
    path = "/v1/Rooms/{room_sid}/Transcriptions"
    primary_keys = ("room_sid", "ttid")


# --- Recordings and compositions ---------------------------------------------------------------


class VideoRecordings(_Video):
    """Recordings of single tracks in all rooms."""

    name = "video_recordings"
    path = "/v1/Recordings"
    replication_key = "date_created"
    window = DateFilter(after="DateCreatedAfter", before="DateCreatedBefore")
    lookback = 2 * DAY


class VideoRecordingSettings(_Video):
    """Where an account's recordings are stored, and whether they are encrypted."""

    name = "video_recording_settings"
    path = "/v1/RecordingSettings/Default"
    primary_keys = ("account_sid",)


class VideoCompositions(_Video):
    """Films put together from a room's recordings."""

    name = "video_compositions"
    path = "/v1/Compositions"
    replication_key = "date_created"
    window = DateFilter(after="DateCreatedAfter", before="DateCreatedBefore")
    lookback = 2 * DAY


class VideoCompositionHooks(_Video):
    """Rules by which compositions are made of every room."""

    name = "video_composition_hooks"
    path = "/v1/CompositionHooks"


class VideoCompositionSettings(_Video):
    """Where an account's compositions are stored, and whether they are encrypted."""

    name = "video_composition_settings"
    path = "/v1/CompositionSettings/Default"
    primary_keys = ("account_sid",)
