with recorded as (
    select distinct call_sid
    from {{ ref('stg_recordings') }}
    -- Deleted and absent ones have no sound.
    where status in ('in-progress', 'paused', 'stopped', 'processing', 'completed')
),

judged as (
    select
        *,
        -- A call that was never dialled has no start.
        cast(coalesce(start_time, date_created) as date) as day,
        coalesce(direction in ('inbound', 'trunking-originating'), false) as is_inbound,
        coalesce(status in ('completed', 'busy', 'failed', 'no-answer', 'canceled'), false) as has_ended,
        coalesce(status = 'completed', false) as is_completed,
        coalesce(status in ('no-answer', 'canceled'), false) as is_unanswered
    from {{ ref('stg_calls') }}
)

select
    judged.sid,
    judged.account_sid,
    judged.parent_call_sid,
    judged.day,
    judged.start_time,
    judged.end_time,
    judged.direction,
    judged.status,
    judged.from_number,
    judged.to_number,
    case when judged.is_inbound then judged.to_number else judged.from_number end as own_number,
    judged.answered_by,
    judged.currency,
    1 as calls,
    case when judged.is_inbound then 1 else 0 end as inbound_calls,
    case when judged.is_inbound then 0 else 1 end as outbound_calls,
    case when judged.has_ended then 1 else 0 end as ended_calls,
    case when judged.is_completed then 1 else 0 end as completed_calls,
    case when judged.is_inbound and judged.has_ended then 1 else 0 end as ended_inbound_calls,
    case when judged.is_inbound and judged.is_unanswered then 1 else 0 end as abandoned_calls,
    case when recorded.call_sid is null then 0 else 1 end as recorded_calls,
    case when judged.is_completed then coalesce(judged.duration, 0) else 0 end as talk_seconds,
    case when judged.is_completed and judged.cost is null then 1 else 0 end as unpriced_calls,
    judged.cost as call_cost
from judged
left join recorded on judged.sid = recorded.call_sid
