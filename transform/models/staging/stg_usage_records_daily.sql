with loaded as (
    {{ loaded('usage_records_daily') }}
)

select
    account_sid,
    category,
    description,
    start_date as day,
    "count" as quantity,
    count_unit as quantity_unit,
    "usage" as usage_quantity,
    usage_unit,
    price as cost,
    upper(price_unit) as currency
from loaded
