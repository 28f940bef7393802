{{ config(alias='usage_record') }}

with loaded as (
    {{ loaded('usage_records_daily') }}
)

select
    account_sid as account_id,
    as_of,
    category,
    "count",
    count_unit,
    description,
    start_date,
    end_date,
    price,
    price_unit,
    "usage",
    usage_unit,
    cast(null as timestamp) as _fivetran_synced
from loaded
