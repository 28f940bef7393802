with loaded as (
    {{ loaded('incoming_phone_numbers') }}
)

select
    sid,
    account_sid,
    phone_number,
    friendly_name,
    date_created
from loaded
