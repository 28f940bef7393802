with loaded as (
    {{ loaded('messages') }}
)

select
    sid,
    account_sid,
    messaging_service_sid,
    direction,
    status,
    "from" as from_number,
    "to" as to_number,
    date_created,
    date_sent,
    num_segments,
    num_media,
    error_code,
    -price as cost,
    upper(price_unit) as currency
from loaded
