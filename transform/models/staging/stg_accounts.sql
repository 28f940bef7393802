with loaded as (
    {{ loaded('accounts') }}
)

select
    sid,
    owner_account_sid,
    friendly_name,
    status,
    type,
    date_created
from loaded
