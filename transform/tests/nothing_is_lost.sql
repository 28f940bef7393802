-- Each call and each message that has a day counts once, and so does what it cost.
with calls as (
    select count(*) as calls, coalesce(sum(cost), 0) as call_cost
    from {{ ref('stg_calls') }}
    where coalesce(start_time, date_created) is not null
),

messages as (
    select count(*) as messages, coalesce(sum(cost), 0) as message_cost
    from {{ ref('stg_messages') }}
    where coalesce(date_sent, date_created) is not null
),

staged as (
    select *
    from calls
    cross join messages
),

modelled as (
    select
        coalesce(sum(calls), 0) as calls,
        coalesce(sum(call_cost), 0) as call_cost,
        coalesce(sum(messages), 0) as messages,
        coalesce(sum(message_cost), 0) as message_cost
    from {{ ref('daily') }}
)

select *
from staged
cross join modelled
where
    staged.calls <> modelled.calls
    or staged.call_cost <> modelled.call_cost
    or staged.messages <> modelled.messages
    or staged.message_cost <> modelled.message_cost
