with loaded as (
    {{ loaded('calls') }}
)

select
    sid,
    account_sid,
    parent_call_sid,
    direction,
    status,
    "from" as from_number,
    "to" as to_number,
    answered_by,
    date_created,
    start_time,
    end_time,
    duration,
    queue_time,
    -price as cost,
    upper(price_unit) as currency
from loaded
