"""The figures a second time: counted in Python, from what the server holds."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from harness import STREAMS_BY_NAME, truth, wire_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sandbox import Sandbox

    Row = dict[str, Any]

ENDED = {"completed", "busy", "failed", "no-answer", "canceled"}
HANDED_OVER = {"sent", "delivered", "read", "partially_delivered", "undelivered", "failed"}


class Held:
    """What the server holds of the streams that the models read."""

    def __init__(self, twilio: Sandbox) -> None:
        self.calls = self._dated(_rows(twilio, "calls"), "start_time")
        self.messages = self._dated(_rows(twilio, "messages"), "date_sent")
        self.recordings = _rows(twilio, "recordings")
        self.alerts = _rows(twilio, "alerts")
        path = wire_path(STREAMS_BY_NAME["usage_records_daily"])
        self.usage = [
            {**row, "day": date.fromisoformat(row["start_date"]), "price": float(row["price"])}
            for account in twilio.accounts
            for row in twilio.usage(path, account.sid, IncludeSubaccounts="false")
        ]
        days = {row["day"] for row in (*self.calls, *self.messages, *self.usage)}
        first, last = min(days), max(days)
        self.days = [first + timedelta(days=n) for n in range((last - first).days + 1)]

    @staticmethod
    def _dated(rows: Iterable[Row], key: str) -> list[Row]:
        return [
            {**row, "day": date.fromisoformat((row[key] or row["date_created"])[:10])}
            for row in rows
        ]

    def figures(self, days: Iterable[date]) -> Row:
        """Give all figures of these days together."""
        wanted = set(days)
        recorded = {row["call_sid"] for row in self.recordings if row["status"] == "completed"}
        calls = [row for row in self.calls if row["day"] in wanted]
        inbound = [row for row in calls if row["direction"] == "inbound"]
        completed = [row for row in calls if row["status"] == "completed"]
        ended = [row for row in calls if row["status"] in ENDED]
        ended_inbound = [row for row in inbound if row["status"] in ENDED]
        abandoned = [row for row in inbound if row["status"] in {"no-answer", "canceled"}]
        talked = sum(row["duration"] or 0 for row in completed)
        messages = [row for row in self.messages if row["day"] in wanted]
        sent = [row for row in messages if row["direction"] != "inbound"]
        handed_over = [row for row in sent if row["status"] in HANDED_OVER]
        delivered = [row for row in sent if row["status"] in {"delivered", "read"}]
        failed = [row for row in sent if row["status"] in {"undelivered", "failed"}]
        return {
            "calls": len(calls),
            "inbound_calls": len(inbound),
            "outbound_calls": len(calls) - len(inbound),
            "ended_calls": len(ended),
            "completed_calls": len(completed),
            "ended_inbound_calls": len(ended_inbound),
            "abandoned_calls": len(abandoned),
            "recorded_calls": sum(row["sid"] in recorded for row in calls),
            "talk_seconds": talked,
            "unpriced_calls": sum(row["price"] is None for row in completed),
            "call_cost": -sum(row["price"] or 0 for row in calls),
            "completion_rate": _ratio(len(completed), len(ended)),
            "abandon_rate": _ratio(len(abandoned), len(ended_inbound)),
            "average_call_seconds": _ratio(talked, len(completed)),
            "messages": len(messages),
            "inbound_messages": len(messages) - len(sent),
            "outbound_messages": len(sent),
            "segments": sum(row["num_segments"] or 0 for row in messages),
            "handed_over_messages": len(handed_over),
            "delivered_messages": len(delivered),
            "failed_messages": len(failed),
            "message_cost": -sum(row["price"] or 0 for row in messages),
            "delivery_rate": _ratio(len(delivered), len(handed_over)),
            "total_cost": self._usage(wanted, "totalprice"),
            "calls_usage_cost": self._usage(wanted, "calls"),
            "sms_usage_cost": self._usage(wanted, "sms"),
        }

    def _usage(self, days: set[date], category: str) -> float:
        return sum(
            row["price"] for row in self.usage if row["category"] == category and row["day"] in days
        )

    def errors(self) -> Counter[tuple[str, str]]:
        """Count errors by who told them, and code."""
        found = Counter(("alerts", row["error_code"]) for row in self.alerts)
        codes = (row["error_code"] for row in self.messages)
        found.update(("messages", str(code)) for code in codes if code is not None)
        return found

    def numbers(self) -> dict[str, Row]:
        """Count the traffic of the account's own numbers."""
        found: dict[str, Row] = defaultdict(lambda: {"calls": 0, "messages": 0, "cost": 0.0})
        for kind in ("calls", "messages"):
            for row in getattr(self, kind):
                number = row["to"] if row["direction"] == "inbound" else row["from"]
                if number is not None:
                    found[number][kind] += 1
                    found[number]["cost"] -= row["price"] or 0
        return found


def _rows(twilio: Sandbox, name: str) -> list[Row]:
    return truth(twilio, STREAMS_BY_NAME[name])


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def assert_same(got: Row, want: Row, name: Callable[[], str] | str = "") -> None:
    """Figures are the same, but for what floats lose."""
    for column, value in want.items():
        if value is None:
            assert got[column] is None, (name, column)
        else:
            assert abs(float(got[column]) - value) < 1e-6, (name, column, got[column], value)
