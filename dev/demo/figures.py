"""What the report shows: figures that the models define, here only chosen and put in order."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from datetime import date

    from demo.warehouse import Warehouse

    Row = dict[str, Any]

WEEK, MONTH = 7, 30
TOP = 8

_DAYS = """
select * from (
    select * from analytics.daily order by day desc limit ?
) as latest
order by day
"""

_ACCOUNT_DAYS = """
select * from (
    select * from analytics.accounts_daily where account_sid = ? order by day desc limit ?
) as latest
order by day
"""

_PERIODS = "select * from analytics.periods"

_ACCOUNT_PERIODS = "select * from analytics.accounts_periods where account_sid = ?"

# Of one account, or of all.
_ERRORS = """
select source, error_code, any_value(meaning) as meaning, sum(occurrences)::bigint as occurrences
from analytics.errors_daily
where day >= $1 and ($2::varchar is null or account_sid = $2) and level in ('error', 'warning')
group by source, error_code
order by occurrences desc, source, error_code
limit $3
"""

_NUMBERS = """
select
    number,
    sum(calls)::bigint as calls,
    sum(messages)::bigint as messages,
    sum(cost) as cost
from analytics.numbers_daily
where day >= $1 and ($2::varchar is null or account_sid = $2)
group by number
order by sum(calls) + sum(messages) desc, number
limit $3
"""

_ACCOUNTS = """
select
    figures.account_sid,
    coalesce(any_value(accounts.friendly_name), figures.account_sid) as account,
    sum(figures.calls)::bigint as calls,
    sum(figures.messages)::bigint as messages,
    sum(figures.total_cost) as total_cost
from analytics.accounts_daily as figures
left join analytics.stg_accounts as accounts on figures.account_sid = accounts.sid
where figures.day >= ?
group by figures.account_sid
order by sum(figures.total_cost) desc nulls last, figures.account_sid
limit ?
"""


class View(NamedTuple):
    """The figures of some account over some days.

    Attributes:
        account: The account's name; None for all accounts together.
        length: How many whole days it is about.
        days: These days, oldest first, and then the newest, which is still going on.
        earlier: As many whole days before, as far as there are.
        now: The figures of all these days, but for the newest.
        before: The figures of the days before.
        errors: The most frequent error codes.
        numbers: The busiest numbers.
        accounts: The accounts that cost most; only if it is about all.
    """

    account: str | None
    length: int
    days: list[Row]
    earlier: list[Row]
    now: Row
    before: Row
    errors: list[Row]
    numbers: list[Row]
    accounts: list[Row]

    @property
    def first_day(self) -> date:
        """The oldest day shown."""
        day: date = self.days[0]["day"]
        return day

    @property
    def last_day(self) -> date:
        """The newest day shown, which is still going on."""
        day: date = self.days[-1]["day"]
        return day

    @property
    def unpriced(self) -> list[date]:
        """The whole days whose costs can't be compared yet."""
        return [day["day"] for day in self.days[:-1] if not day["is_priced"]]

    def priced(self, column: str) -> tuple[float, float] | None:
        """Add up a cost over the days that have their prices, and over the same days before.

        Args:
            column: The cost.

        Returns:
            Both sums; None if there is nothing to compare.
        """
        earlier = {day["day"]: day for day in self.earlier}
        pairs = []
        for day in self.days[:-1]:
            before = earlier.get(day["day"] - timedelta(days=self.length))
            if day["is_priced"] and before is not None:
                pairs.append((day[column], before[column]))
        if not pairs or any(value is None for pair in pairs for value in pair):
            return None
        return sum(float(now) for now, _ in pairs), sum(float(before) for _, before in pairs)


class Figures(NamedTuple):
    """All that the report shows.

    Attributes:
        views: All accounts first, then each of those that cost most; of each the shortest first.
        currency: The unit of costs.
    """

    views: list[View]
    currency: str

    @property
    def days(self) -> list[Row]:
        """The newest days of all accounts together, oldest first."""
        return self.views[0].days


def read(warehouse: Warehouse) -> Figures | None:
    """Read the figures.

    Args:
        warehouse: A database in which the models were built.

    Returns:
        The figures; None if nothing was loaded that has a day.
    """
    days = warehouse.select(_DAYS, 2 * MONTH + 1)
    if not days:
        return None
    lengths = [WEEK, MONTH] if len(days) > WEEK + 1 else [WEEK]
    accounts = warehouse.select(_ACCOUNTS, days[-(MONTH + 1) :][0]["day"], TOP)
    views = _views(warehouse, lengths, days, warehouse.select(_PERIODS))
    if len(accounts) > 1:
        for account in accounts:
            sid = account["account_sid"]
            views += _views(
                warehouse,
                lengths,
                warehouse.select(_ACCOUNT_DAYS, sid, 2 * MONTH + 1),
                warehouse.select(_ACCOUNT_PERIODS, sid),
                account,
            )
    units = {day["currency"] for day in days} - {None}
    return Figures(views, str(min(units)) if units else "USD")


def _views(
    warehouse: Warehouse,
    lengths: list[int],
    days: list[Row],
    periods: list[Row],
    account: Row | None = None,
) -> list[View]:
    spans = {period["period"]: period for period in periods}
    sid = account["account_sid"] if account else None
    views = []
    for length in lengths:
        shown = days[-(length + 1) :]
        first = shown[0]["day"]
        views.append(
            View(
                account=account["account"] if account else None,
                length=length,
                days=shown,
                earlier=days[-(2 * length + 1) : -(length + 1)],
                now=spans[f"last {length} days"],
                before=spans[f"{length} days before"],
                errors=warehouse.select(_ERRORS, first, sid, TOP),
                numbers=warehouse.select(_NUMBERS, first, sid, TOP),
                accounts=[] if account else warehouse.select(_ACCOUNTS, first, TOP),
            )
        )
    return views
