with loaded as (
    {{ loaded('recordings') }}
)

select
    sid,
    account_sid,
    call_sid,
    status,
    date_created,
    duration
from loaded
