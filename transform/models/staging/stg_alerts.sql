with loaded as (
    {{ loaded('alerts') }}
)

select
    sid,
    account_sid,
    error_code,
    log_level,
    resource_sid,
    coalesce(date_generated, date_created) as date_generated
from loaded
