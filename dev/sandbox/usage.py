"""Usage records: sums over the other tables, by category and by day, month, year or span."""

from __future__ import annotations

import calendar
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sandbox import errors
from sandbox.identifiers import mix, seed_of
from sandbox.moments import DAY, read_relative
from sandbox.paths import ACCOUNT, CALLS, MESSAGES, RECORDINGS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sandbox.accounts import Account
    from sandbox.endpoints import Endpoint
    from sandbox.world import World

USAGE: Final = f"{ACCOUNT}/Usage/Records"

_SETTLED_AFTER: Final = 2 * DAY
_OPENED: Final = date(1970, 1, 1)


class Category(NamedTuple):
    """One of the things that Twilio bills.

    Attributes:
        path: The list whose rows are counted; None for what is owned, not done.
        share: The part of those rows that falls in this category.
        unit: What is counted.
        price: The price of one.
        usage: What is measured, with how much of it one row stands for.
        description: Its name for people.
    """

    path: str | None
    share: float
    unit: str
    price: float
    usage: tuple[str, float]
    description: str


CATEGORIES: Final[Mapping[str, Category]] = {
    "calls": Category(CALLS, 1, "calls", 0.0425, ("minutes", 4), "Voice Minutes"),
    "calls-inbound": Category(CALLS, 0.4, "calls", 0.0425, ("minutes", 4), "Inbound Voice Minutes"),
    "calls-outbound": Category(
        CALLS, 0.6, "calls", 0.0425, ("minutes", 4), "Outbound Voice Minutes"
    ),
    "mms": Category(MESSAGES, 0.0625, "messages", 0.02, ("messages", 1), "MMS Messages"),
    "phonenumbers": Category(None, 8, "numbers", 1.15 / 30, ("numbers", 1), "Phone Numbers"),
    "recordings": Category(RECORDINGS, 1, "minutes", 0.0025, ("minutes", 2), "Recordings"),
    "sms": Category(MESSAGES, 0.9375, "messages", 0.015, ("segments", 2), "SMS"),
    "sms-inbound": Category(MESSAGES, 0.375, "messages", 0.015, ("segments", 2), "Inbound SMS"),
    "sms-outbound": Category(MESSAGES, 0.5625, "messages", 0.015, ("segments", 2), "Outbound SMS"),
    "trunking-origination": Category(CALLS, 0, "calls", 0.0045, ("minutes", 4), "SIP Trunking"),
    "verify-whatsapp": Category(MESSAGES, 0, "", 0.05, ("", 1), "Verify WhatsApp"),
}
_TOTAL: Final = "totalprice"
_TOP: Final = ("calls", "mms", "phonenumbers", "recordings", "sms")


def is_usage(endpoint: Endpoint) -> bool:
    """Tell whether a list is one of the usage records."""
    return endpoint.stem.startswith(USAGE)


class Ledger:
    """The usage records of one query.

    Args:
        world: The tables to sum over.
        endpoint: The variant of the list.
        account: Whose usage.
        query: The parameters as they came.
        asked: How many requests came before: the moment of each answer is a new one.

    Raises:
        TwilioError: If a date makes no sense.
    """

    def __init__(
        self,
        world: World,
        endpoint: Endpoint,
        account: Account,
        query: Mapping[str, str],
        asked: int = 0,
    ) -> None:
        """Read the query."""
        self._world = world
        self._endpoint = endpoint
        self._account = account
        self._today = datetime.fromtimestamp(world.now, UTC).date()
        self._opened = datetime.fromtimestamp(account.created, UTC).date()
        self._category = query.get("Category")
        self._start = self._day(query, "StartDate") or self._opened
        self._end = self._day(query, "EndDate") or self._today
        self._accounts = [account]
        if query.get("IncludeSubaccounts", "true").lower() != "false":
            self._accounts = world.directory.visible_to(account)
        moment = datetime.fromtimestamp(world.now + asked, UTC)
        self._as_of = moment.isoformat(timespec="seconds")

    def rows(self) -> list[dict[str, Any]]:
        """Give the records, the newest period first."""
        return [
            self._row(category, start, end)
            for start, end in self._periods()
            for category in sorted((*CATEGORIES, _TOTAL))
            if self._category in (None, category)
        ]

    def _periods(self) -> Iterator[tuple[date, date]]:
        today = self._today
        month = today.replace(day=1)
        variant = self._endpoint.stem.removeprefix(USAGE).lstrip("/")
        fixed = {
            "Today": (today, today),
            "Yesterday": (today - timedelta(days=1),) * 2,
            "ThisMonth": (month, today),
            "LastMonth": ((month - timedelta(days=1)).replace(day=1), month - timedelta(days=1)),
            "AllTime": (self._opened, today),
            "": (self._start, min(self._end, today)),
        }
        if variant in fixed:
            yield fixed[variant]
            return
        end = min(self._end, today)
        while end >= max(self._start, self._opened):
            first = {"Daily": end, "Monthly": end.replace(day=1)}.get(
                variant, end.replace(month=1, day=1)
            )
            last = {"Daily": end, "Monthly": _month_end(end)}.get(
                variant, end.replace(month=12, day=31)
            )
            yield max(first, self._opened), min(last, today)
            end = first - timedelta(days=1)

    def _row(self, name: str, start: date, end: date) -> dict[str, Any]:
        count, price = self._sum(name, start, end)
        category = CATEGORIES.get(name)
        unit, each = category.usage if category else ("usd", 1)
        amount = price if category is None else count * each
        path = self._endpoint.locate({"AccountSid": self._account.sid})
        root = USAGE.replace("{AccountSid}", self._account.sid)
        return {
            "account_sid": self._account.sid,
            "api_version": "2010-04-01",
            "as_of": self._as_of,
            "category": name,
            "count": None if category is None else str(count),
            "count_unit": category.unit if category else "",
            "description": category.description if category else "Total Price",
            "end_date": end.isoformat(),
            "price": self._price(price),
            "price_unit": "usd",
            "start_date": start.isoformat(),
            "subresource_uris": {
                variant.lower(): f"{root}/{variant}.json?Category={name}"
                for variant in ("Daily", "Monthly", "Yearly")
            },
            "uri": f"{path}?Category={name}&StartDate={start}&EndDate={end}",
            "usage": f"{amount:.2f}" if category is None else f"{amount:g}",
            "usage_unit": unit,
        }

    def _price(self, price: float) -> str | float:
        declared = self._endpoint.properties.get("price")
        spelled = f"{price:.5f}"
        return spelled if declared is None or declared.wire == "string" else float(spelled)

    def _sum(self, name: str, start: date, end: date) -> tuple[int, float]:
        if name == _TOTAL:
            return 0, sum(self._sum(one, start, end)[1] for one in _TOP)
        count, price = 0, 0.0
        for account in self._accounts:
            for offset in range((end - start).days + 1):
                day = start + timedelta(days=offset)
                more = self._count(name, account, day)
                count += more
                price += more * CATEGORIES[name].price * self._settled(name, account, day)
        return count, round(price, 5)

    def _count(self, name: str, account: Account, day: date) -> int:
        category = CATEGORIES[name]
        low = (day - _OPENED).days * DAY
        if category.path is None:
            return int(category.share) if account.created < low + DAY else 0
        rows = self._world.count(category.path, account, low, low + DAY)
        if name == "sms":
            return rows - int(rows * CATEGORIES["mms"].share)
        if name in ("calls-outbound", "sms-outbound"):
            kind = name.partition("-")[0]
            whole = self._count(kind, account, day)
            return whole - self._count(f"{kind}-inbound", account, day)
        return int(rows * category.share)

    def _settled(self, name: str, account: Account, day: date) -> float:
        """Give the part of a day's price that is known by now: recent days are revised."""
        age = self._world.now - ((day - _OPENED).days + 1) * DAY
        if age >= _SETTLED_AFTER:
            return 1.0
        seed = seed_of(account.sid, name, day)
        return 0.85 + 0.1 * (mix(seed, max(0, age) // (DAY // 4)) % 1000) / 1000

    def _day(self, query: Mapping[str, str], name: str) -> date | None:
        value = query.get(name)
        if not value:
            return None
        try:
            return date.fromisoformat(value[:10])
        except ValueError:
            pass
        try:
            return self._today + timedelta(seconds=read_relative(value))
        except ValueError:
            raise errors.invalid(name, value) from None


def _month_end(day: date) -> date:
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])
