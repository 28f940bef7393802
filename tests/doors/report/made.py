"""Figures that nobody loaded, for a page of them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from demo.figures import MONTH, WEEK, Figures, View

if TYPE_CHECKING:
    from collections.abc import Mapping

LAST = date(2026, 1, 31)


def figures(length: int, days: Mapping[int, Any] | None = None, **values: object) -> Figures:
    """Make figures of so many days, all alike.

    Args:
        length: How many days there are, the newest of them not over.
        days: What differs, by the day's distance from the newest.
        values: What differs on all days, and in sums of days.

    Returns:
        Figures of all accounts together.
    """
    counts = ("calls", "inbound_calls", "outbound_calls", "messages", "inbound_messages")
    counts += ("outbound_messages", "segments", "failed_messages")
    counts += ("unpriced_calls", "unpriced_messages")
    rates = ("completion_rate", "abandon_rate", "delivery_rate", "average_call_seconds")
    costs = ("call_cost", "message_cost", "total_cost", "calls_usage_cost", "sms_usage_cost")
    costs += ("numbers_usage_cost",)
    row: dict[str, Any] = dict.fromkeys(counts, 0) | dict.fromkeys((*rates, *costs)) | values
    loaded = [
        {**row, "day": LAST - timedelta(days=n), "is_priced": n > 3, **(days or {}).get(n, {})}
        for n in reversed(range(length))
    ]
    views = []
    for span in [WEEK, MONTH] if length > WEEK + 1 else [WEEK]:
        now, before = (
            {
                **row,
                "first_day": LAST - timedelta(days=n),
                "last_day": LAST - timedelta(days=n - span + 1),
                "is_whole": length > n,
            }
            for n in (span, 2 * span)
        )
        earlier = loaded[-(2 * span + 1) : -(span + 1)]
        views.append(
            View(None, span, loaded[-(span + 1) :], earlier, now, before, [], [], accounts=[])
        )
    return Figures(views, str(values.get("currency", "USD")))


def with_tables(found: Figures, **tables: list[dict[str, Any]]) -> Figures:
    """Put rows into the tables of all views."""
    return found._replace(views=[view._replace(**tables) for view in found.views])
