with loaded as (
    select day from {{ ref('calls_daily') }}
    union
    select day from {{ ref('messages_daily') }}
    union
    select day from {{ ref('costs_daily') }}
),

bounds as (
    select
        min(day) as first_day,
        max(day) as last_day
    from loaded
),

-- Days on which nothing happened are days too.
days as (
    select cast(series.moment as date) as day
    from bounds
    cross join lateral generate_series(
        cast(bounds.first_day as timestamp), cast(bounds.last_day as timestamp), interval '1 day'
    ) as series (moment)
),

calls as (
    select
        days.day,
        {{ call_figures() }}
    from days
    left join {{ ref('calls_daily') }} as calls_daily on days.day = calls_daily.day
    group by days.day
),

messages as (
    select
        days.day,
        {{ message_figures() }}
    from days
    left join {{ ref('messages_daily') }} as messages_daily on days.day = messages_daily.day
    group by days.day
),

costs as (
    select
        days.day,
        max(costs_daily.currency) as currency,
        {{ cost_figures() }}
    from days
    left join {{ ref('costs_daily') }} as costs_daily on days.day = costs_daily.day
    group by days.day
)

select *
from calls
inner join messages using (day)
inner join costs using (day)
