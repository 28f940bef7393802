"""What the report shows: figures that the models define, here only chosen and put in order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from datetime import date

    from demo.warehouse import Warehouse

    Row = dict[str, Any]

# A month, and the day that is still going on.
DAYS = 31
TOP = 8

_DAYS = """
select * from (
    select * from analytics.daily order by day desc limit ?
) as latest
order by day
"""

_PERIODS = "select * from analytics.periods"

_ERRORS = """
select source, error_code, sum(occurrences)::bigint as occurrences
from analytics.errors_daily
where day >= ? and level in ('error', 'warning')
group by source, error_code
order by occurrences desc, source, error_code
limit ?
"""

_NUMBERS = """
select
    number,
    sum(calls)::bigint as calls,
    sum(messages)::bigint as messages,
    sum(cost) as cost
from analytics.numbers_daily
where day >= ?
group by number
order by sum(calls) + sum(messages) desc, number
limit ?
"""

_ACCOUNTS = """
with traffic as (
    select account_sid, calls, 0 as messages, null as total_cost
    from analytics.calls_daily where day >= $1
    union all
    select account_sid, 0, messages, null from analytics.messages_daily where day >= $1
    union all
    select account_sid, 0, 0, total_cost from analytics.costs_daily where day >= $1
)

select
    coalesce(any_value(accounts.friendly_name), traffic.account_sid) as account,
    sum(traffic.calls)::bigint as calls,
    sum(traffic.messages)::bigint as messages,
    sum(traffic.total_cost) as total_cost
from traffic
left join analytics.stg_accounts as accounts on traffic.account_sid = accounts.sid
group by traffic.account_sid
order by sum(traffic.total_cost) desc nulls last, traffic.account_sid
limit $2
"""


class Figures(NamedTuple):
    """All that the report shows.

    Attributes:
        days: The latest days, oldest first; the newest is still going on.
        periods: The same figures for longer spans, by the span's name.
        errors: The most frequent error codes of these days.
        numbers: The busiest numbers of these days.
        accounts: The accounts that cost most in these days.
    """

    days: list[Row]
    periods: dict[str, Row]
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
    def currency(self) -> str:
        """The unit of costs."""
        units = {day["currency"] for day in self.days} - {None}
        return str(min(units)) if units else "USD"


def read(warehouse: Warehouse) -> Figures | None:
    """Read the figures.

    Args:
        warehouse: A database in which the models were built.

    Returns:
        The figures; None if nothing was loaded that has a day.
    """
    days = warehouse.select(_DAYS, DAYS)
    if not days:
        return None
    first = days[0]["day"]
    return Figures(
        days=days,
        periods={row["period"]: row for row in warehouse.select(_PERIODS)},
        errors=warehouse.select(_ERRORS, first, TOP),
        numbers=warehouse.select(_NUMBERS, first, TOP),
        accounts=warehouse.select(_ACCOUNTS, first, TOP),
    )
