"""BulkExport (``bulkexports.twilio.com``): days of records, exported as files."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from tap_twilio.streams.accounts import AccountStream

if TYPE_CHECKING:
    from collections.abc import Mapping


class _BulkExports(AccountStream):
    product = "bulkexports"
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
