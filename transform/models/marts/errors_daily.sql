with errors as (
    select
        'alerts' as source,
        account_sid,
        cast(date_generated as date) as day,
        error_code,
        log_level as level
    from {{ ref('stg_alerts') }}
    union all
    select
        'messages' as source,
        account_sid,
        day,
        cast(error_code as varchar) as error_code,
        'error' as level
    from {{ ref('messages') }}
    where error_code is not null
)

select
    day,
    account_sid,
    source,
    error_code,
    level,
    count(*) as occurrences
from errors
group by day, account_sid, source, error_code, level
