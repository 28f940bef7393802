-- Each call and each message counts once, and so does what it cost.
with staged as (
    select
        (select count(*) from {{ ref('stg_calls') }}) as calls,
        (select coalesce(sum(cost), 0) from {{ ref('stg_calls') }}) as call_cost,
        (select count(*) from {{ ref('stg_messages') }}) as messages,
        (select coalesce(sum(cost), 0) from {{ ref('stg_messages') }}) as message_cost
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
