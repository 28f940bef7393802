with traffic as (
    select
        day,
        account_sid,
        own_number as number,
        calls,
        0 as messages,
        call_cost as cost
    from {{ ref('calls') }}
    union all
    select
        day,
        account_sid,
        own_number as number,
        0 as calls,
        messages,
        message_cost as cost
    from {{ ref('messages') }}
),

owned as (
    select
        account_sid,
        phone_number,
        max(friendly_name) as friendly_name
    from {{ ref('stg_incoming_phone_numbers') }}
    group by account_sid, phone_number
)

select
    traffic.day,
    traffic.account_sid,
    traffic.number,
    owned.friendly_name,
    {{ total('calls') }},
    {{ total('messages') }},
    coalesce(sum(traffic.cost), 0) as cost
from traffic
left join owned
    on traffic.account_sid = owned.account_sid and traffic.number = owned.phone_number
where traffic.number is not null
group by traffic.day, traffic.account_sid, traffic.number, owned.friendly_name
