with judged as (
    select
        *,
        -- A message that failed before it was sent has no other date.
        cast(coalesce(date_sent, date_created) as date) as day,
        coalesce(direction = 'inbound', false) as is_inbound,
        coalesce(
            status in ('sent', 'delivered', 'read', 'partially_delivered', 'undelivered', 'failed'),
            false
        ) as is_handed_over,
        coalesce(status in ('delivered', 'read'), false) as is_delivered,
        coalesce(status in ('undelivered', 'failed'), false) as is_failed,
        coalesce(status in ('accepted', 'scheduled', 'queued', 'canceled', 'failed'), false) as is_free
    from {{ ref('stg_messages') }}
)

select
    sid,
    account_sid,
    messaging_service_sid,
    day,
    date_sent,
    direction,
    status,
    error_code,
    from_number,
    to_number,
    case when is_inbound then to_number else from_number end as own_number,
    currency,
    1 as messages,
    case when is_inbound then 1 else 0 end as inbound_messages,
    case when is_inbound then 0 else 1 end as outbound_messages,
    coalesce(num_segments, 0) as segments,
    case when not is_inbound and is_handed_over then 1 else 0 end as handed_over_messages,
    case when not is_inbound and is_delivered then 1 else 0 end as delivered_messages,
    case when not is_inbound and is_failed then 1 else 0 end as failed_messages,
    case when not is_free and cost is null then 1 else 0 end as unpriced_messages,
    cost as message_cost
from judged
