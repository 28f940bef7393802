"""BulkExport (``bulkexports.twilio.com``): days of records, exported as files."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from tap_twilio.streams.accounts import AccountStream
from tap_twilio.streams.base import TwilioStream

if TYPE_CHECKING:
    from collections.abc import Mapping


class _BulkExports(AccountStream):
    product = "bulkexports"
    region = "us1"
    selected_by_default = False
    path_values: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "resource_type": ("Messages", "Calls", "Conferences", "Participants"),
    }


class BulkExportsConfigurations(_BulkExports):
    """Whether a kind of record is exported every day, and who is told."""

    name = "bulkexports_configurations"
    path = "/v1/Exports/{resource_type}/Configuration"
    primary_keys = ("account_sid", "resource_type")


class BulkExportsDays(_BulkExports):
    """Exported days whose files are ready for download."""

    name = "bulkexports_days"
    path = "/v1/Exports/{resource_type}/Days"
    primary_keys = ("account_sid", "resource_type", "day", "friendly_name")
    # The daily export gives each day once, and is no job that has a name.
    stand_ins: ClassVar[Mapping[str, str | int]] = {"friendly_name": ""}


class BulkExportsJobs(_BulkExports):
    """Exports that were ordered, and how far they have come."""

    name = "bulkexports_jobs"
    path = "/v1/Exports/{resource_type}/Jobs"
    primary_keys = ("job_sid",)


class _Export(TwilioStream):
    """Base of the streams that are read out of files: rows as they were when these were made."""

    product = "bulkexports"
    region = "us1"
    parent_stream_type = BulkExportsDays
    parent_field = "day"
    replication_key = "day"
    selected_by_default = False


class BulkExportsMessages(_Export):
    """Messages of exported days: the only way to those older than 400 days."""

    name = "bulkexports_messages"
    path = "/v1/Exports/Messages/Days/{day}"
    exported = "Messages"
    primary_keys = ("sid", "day")
    void_values: ClassVar[Mapping[str, str | int]] = {"error_code": 0}


class BulkExportsCalls(_Export):
    """Calls of exported days: the only way to those older than 13 months."""

    name = "bulkexports_calls"
    path = "/v1/Exports/Calls/Days/{day}"
    exported = "Calls"
    primary_keys = ("sid", "day")


class BulkExportsConferences(_Export):
    """Conferences of exported days."""

    name = "bulkexports_conferences"
    path = "/v1/Exports/Conferences/Days/{day}"
    exported = "Conferences"
    primary_keys = ("sid", "day")


class BulkExportsParticipants(_Export):
    """Participants of conferences of exported days, which no list has once those are over."""

    name = "bulkexports_participants"
    path = "/v1/Exports/Participants/Days/{day}"
    exported = "Participants"
    primary_keys = ("conference_sid", "call_sid", "day")
