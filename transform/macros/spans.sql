{#-
    All figures by day, and by span of days: of all accounts together, or of each by itself.
-#}

{%- macro figures_by_day(by_account=false) -%}
{%- set keys = 'day, account_sid' if by_account else 'day' -%}
with loaded as (
    select day, account_sid from {{ ref('calls_daily') }}
    union
    select day, account_sid from {{ ref('messages_daily') }}
    union
    select day, account_sid from {{ ref('costs_daily') }}
),

bounds as (
    select
        min(day) as first_day,
        max(day) as last_day
    from loaded
),

-- Days on which nothing happened are days too.
days as (
    select
        {{ 'accounts.account_sid,' if by_account }}
        cast(series.moment as date) as day
    from bounds
    cross join lateral generate_series(
        cast(bounds.first_day as timestamp), cast(bounds.last_day as timestamp), interval '1 day'
    ) as series (moment)
    {%- if by_account %}
    cross join (select distinct account_sid from loaded where account_sid is not null) as accounts
    {%- endif %}
),

calls as (
    select
        {{ keys }},
        {{ call_figures() }}
    from days
    left join {{ ref('calls_daily') }} as loaded_calls using ({{ keys }})
    group by {{ keys }}
),

messages as (
    select
        {{ keys }},
        {{ message_figures() }}
    from days
    left join {{ ref('messages_daily') }} as loaded_messages using ({{ keys }})
    group by {{ keys }}
),

costs as (
    select
        {{ keys }},
        max(currency) as currency,
        {{ cost_figures() }}
    from days
    left join {{ ref('costs_daily') }} as loaded_costs using ({{ keys }})
    group by {{ keys }}
),

figures as (
    select *
    from calls
    inner join messages using ({{ keys }})
    inner join costs using ({{ keys }})
)

select
    *,
    -- Twilio still revises the usage of the newest days, and of a week's while rows lack prices.
    day < max(day) over () - 3
    and (
        day < max(day) over () - 7
        or 20 * (unpriced_calls + unpriced_messages) <= calls + messages
    ) as is_priced
from figures
{%- endmacro -%}


{%- macro figures_by_span(by_account=false) -%}
{%- set days = ref('accounts_daily' if by_account else 'daily') -%}
with loaded as (
    select
        {{ 'account_sid,' if by_account }}
        min(day) as first_day,
        max(day) as last_day
    from {{ days }}
    {{ 'group by account_sid' if by_account }}
),

lengths as (
    select 7 as days
    union all
    select 30 as days
),

-- The newest day is still going on: periods end before it.
bounds as (
    select
        {{ 'loaded.account_sid,' if by_account }}
        'last ' || lengths.days || ' days' as period,
        cast(loaded.last_day - lengths.days * interval '1 day' as date) as first_day,
        loaded.last_day as end_day,
        loaded.first_day as first_loaded
    from loaded
    cross join lengths
    union all
    select
        {{ 'loaded.account_sid,' if by_account }}
        lengths.days || ' days before' as period,
        cast(loaded.last_day - 2 * lengths.days * interval '1 day' as date) as first_day,
        cast(loaded.last_day - lengths.days * interval '1 day' as date) as end_day,
        loaded.first_day as first_loaded
    from loaded
    cross join lengths
)

select
    {{ 'bounds.account_sid,' if by_account }}
    bounds.period,
    bounds.first_day,
    cast(bounds.end_day - interval '1 day' as date) as last_day,
    -- The oldest day may have been loaded in part.
    bounds.first_loaded < bounds.first_day as is_whole,
    max(days.currency) as currency,
    {{ call_figures() }},
    {{ message_figures() }},
    {{ cost_figures() }}
from bounds
left join {{ days }} as days
    on days.day >= bounds.first_day and days.day < bounds.end_day
    {{ 'and days.account_sid = bounds.account_sid' if by_account }}
group by
    {{ 'bounds.account_sid,' if by_account }}
    bounds.period, bounds.first_day, bounds.end_day, bounds.first_loaded
{%- endmacro -%}
