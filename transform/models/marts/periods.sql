with loaded as (
    select
        min(day) as first_day,
        max(day) as last_day
    from {{ ref('daily') }}
),

lengths as (
    select 7 as days
    union all
    select 30 as days
),

-- The newest day is still going on: periods end before it.
bounds as (
    select
        'last ' || lengths.days || ' days' as period,
        cast(loaded.last_day - lengths.days * interval '1 day' as date) as first_day,
        loaded.last_day as end_day,
        loaded.first_day as first_loaded
    from loaded
    cross join lengths
    union all
    select
        lengths.days || ' days before' as period,
        cast(loaded.last_day - 2 * lengths.days * interval '1 day' as date) as first_day,
        cast(loaded.last_day - lengths.days * interval '1 day' as date) as end_day,
        loaded.first_day as first_loaded
    from loaded
    cross join lengths
)

select
    bounds.period,
    bounds.first_day,
    cast(bounds.end_day - interval '1 day' as date) as last_day,
    -- The oldest day may have been loaded in part.
    bounds.first_loaded < bounds.first_day as is_whole,
    max(daily.currency) as currency,
    {{ call_figures() }},
    {{ message_figures() }},
    {{ cost_figures() }}
from bounds
left join {{ ref('daily') }} as daily
    on daily.day >= bounds.first_day and daily.day < bounds.end_day
group by bounds.period, bounds.first_day, bounds.end_day, bounds.first_loaded
