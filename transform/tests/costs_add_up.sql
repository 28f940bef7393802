-- Every account's day costs what Twilio's sum of all categories says, at every level of the models.
with twilio as (
    select
        day,
        sum(cost) as total_cost
    from {{ ref('stg_usage_records_daily') }}
    where category = 'totalprice'
    group by day
),

models as (
    select
        daily.day,
        daily.total_cost,
        sum(costs_daily.total_cost) as total_of_accounts
    from {{ ref('daily') }} as daily
    inner join {{ ref('costs_daily') }} as costs_daily on daily.day = costs_daily.day
    group by daily.day, daily.total_cost
)

select *
from twilio
full join models on twilio.day = models.day
where
    twilio.total_cost is distinct from models.total_cost
    or twilio.total_cost is distinct from models.total_of_accounts
