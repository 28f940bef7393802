"""BulkExport (``bulkexports.twilio.com``): days of records, exported as files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_twilio.streams.accounts import AccountStream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_twilio.ahead import Order
    from tap_twilio.pages import Request
    from tap_twilio.windows import Window

RESOURCE_TYPES = ("Messages", "Calls", "Conferences", "Participants")
"""What can be exported; no list tells."""


class _BulkExports(AccountStream):
    product = "bulkexports"
    selected_by_default = False

    @override
    def plan(
        self, context: dict[str, Any], order: Order
    ) -> Iterator[tuple[Window | None, list[Request]]]:
        for number, kind in enumerate(RESOURCE_TYPES):
            yield from super().plan({**context, "resource_type": kind}, (*order, number))


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


class BulkExportsJobs(_BulkExports):
    """Exports that were ordered, and how far they have come."""

    name = "bulkexports_jobs"
    path = "/v1/Exports/{resource_type}/Jobs"
    primary_keys = ("job_sid",)
