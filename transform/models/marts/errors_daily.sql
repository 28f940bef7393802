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
    errors.day,
    errors.account_sid,
    errors.source,
    errors.error_code,
    -- Null where Twilio's page of the code must tell.
    max(error_codes.meaning) as meaning,
    errors.level,
    count(*) as occurrences
from errors
left join {{ ref('error_codes') }} as error_codes on errors.error_code = error_codes.code
group by errors.day, errors.account_sid, errors.source, errors.error_code, errors.level
