"""Voice and Video Insights (``insights.twilio.com``): how good calls and rooms were."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

from tap_twilio.resource.windows import DateFilter
from tap_twilio.streams.accounts import AccountStream
from tap_twilio.streams.api import Calls

if TYPE_CHECKING:
    from collections.abc import Mapping

DAY = timedelta(days=1)


class _Insights(AccountStream):
    product = "insights"
    selected_by_default = False


# --- Calls -------------------------------------------------------------------------------------


class InsightsVoiceSettings(_Insights):
    """Whether an account has the advanced features of Voice Insights."""

    name = "insights_voice_settings"
    path = "/v1/Voice/Settings"
    primary_keys = ("account_sid",)


class InsightsCallSummaries(_Insights):
    """Quality, connection and parties of each call; a partial summary is completed later."""

    name = "insights_call_summaries"
    path = "/v1/Voice/Summaries"
    primary_keys = ("call_sid",)
    replication_key = "start_time"
    # Without a start Twilio goes back four hours only.
    window = DateFilter(after="StartTime", before="EndTime", retention=30 * DAY, rooted=True)
    lookback = 2 * DAY
    params: ClassVar[Mapping[str, str]] = {"ProcessingState": "all", "SortBy": "start_time"}


class InsightsCallEvents(_Insights):
    """What happened during one call, as the edges of Twilio's network saw it."""

    name = "insights_call_events"
    parent_stream_type = Calls
    path = "/v1/Voice/{call_sid}/Events"
    primary_keys = ("call_sid", "index")
    position_field = "index"


class InsightsCallMetrics(_Insights):
    """Samples of one call's media quality, ten seconds each, from every edge."""

    name = "insights_call_metrics"
    parent_stream_type = Calls
    path = "/v1/Voice/{call_sid}/Metrics"
    primary_keys = ("call_sid", "edge", "direction", "timestamp")
    fan_out: ClassVar[Mapping[str, tuple[str, ...]]] = {
        # Unasked, Twilio gives the edge that suits the call's type and leaves out the other.
        "Edge": ("carrier_edge", "sip_edge", "sdk_edge", "client_edge", "unknown_edge"),
    }


class InsightsCallAnnotations(_Insights):
    """What people noted about one call's quality; takes the place of call feedback."""

    name = "insights_call_annotations"
    parent_stream_type = Calls
    path = "/v1/Voice/{call_sid}/Annotation"
    primary_keys = ("call_sid",)


# --- Conferences and rooms ---------------------------------------------------------------------


class InsightsConferences(_Insights):
    """Summaries of conferences, with the issues found."""

    name = "insights_conferences"
    path = "/v1/Conferences"
    primary_keys = ("conference_sid",)
    replication_key = "create_time"
    window = DateFilter(after="CreatedAfter", before="CreatedBefore")
    lookback = 2 * DAY


class InsightsConferenceParticipants(_Insights):
    """Summaries of each participant of a conference, kept after it ended."""

    name = "insights_conference_participants"
    parent_stream_type = InsightsConferences
    parent_field = "conference_sid"
    path = "/v1/Conferences/{conference_sid}/Participants"
    primary_keys = ("conference_sid", "participant_sid")


class InsightsVideoRooms(_Insights):
    """Summaries of video rooms."""

    name = "insights_video_rooms"
    path = "/v1/Video/Rooms"
    primary_keys = ("room_sid",)
    replication_key = "create_time"
    window = DateFilter(after="CreatedAfter", before="CreatedBefore")
    lookback = 2 * DAY


class InsightsVideoRoomParticipants(_Insights):
    """Summaries of each participant of a video room."""

    name = "insights_video_room_participants"
    parent_stream_type = InsightsVideoRooms
    parent_field = "room_sid"
    path = "/v1/Video/Rooms/{room_sid}/Participants"
    primary_keys = ("room_sid", "participant_sid")
